#ifndef _INCLUDED_exc_exc_pre_push_spikes
#define _INCLUDED_exc_exc_pre_push_spikes

void _run_exc_exc_pre_push_spikes();


#endif
