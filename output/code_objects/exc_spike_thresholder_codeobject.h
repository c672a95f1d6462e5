#ifndef _INCLUDED_exc_spike_thresholder_codeobject
#define _INCLUDED_exc_spike_thresholder_codeobject

void _run_exc_spike_thresholder_codeobject();


#endif
