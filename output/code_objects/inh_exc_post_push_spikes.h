#ifndef _INCLUDED_inh_exc_post_push_spikes
#define _INCLUDED_inh_exc_post_push_spikes

void _run_inh_exc_post_push_spikes();


#endif
