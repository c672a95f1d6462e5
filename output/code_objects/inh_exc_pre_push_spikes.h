#ifndef _INCLUDED_inh_exc_pre_push_spikes
#define _INCLUDED_inh_exc_pre_push_spikes

void _run_inh_exc_pre_push_spikes();


#endif
