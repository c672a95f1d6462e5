#ifndef _INCLUDED_spikemonitor_2_codeobject
#define _INCLUDED_spikemonitor_2_codeobject

void _run_spikemonitor_2_codeobject();

void _debugmsg_spikemonitor_2_codeobject();

#endif
