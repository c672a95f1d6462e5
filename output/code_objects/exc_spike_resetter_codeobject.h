#ifndef _INCLUDED_exc_spike_resetter_codeobject
#define _INCLUDED_exc_spike_resetter_codeobject

void _run_exc_spike_resetter_codeobject();


#endif
