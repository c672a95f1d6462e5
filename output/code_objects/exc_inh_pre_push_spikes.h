#ifndef _INCLUDED_exc_inh_pre_push_spikes
#define _INCLUDED_exc_inh_pre_push_spikes

void _run_exc_inh_pre_push_spikes();


#endif
