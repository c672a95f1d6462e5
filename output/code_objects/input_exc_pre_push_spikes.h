#ifndef _INCLUDED_input_exc_pre_push_spikes
#define _INCLUDED_input_exc_pre_push_spikes

void _run_input_exc_pre_push_spikes();


#endif
