#ifndef _INCLUDED_inh_stateupdater_codeobject
#define _INCLUDED_inh_stateupdater_codeobject

void _run_inh_stateupdater_codeobject();


#endif
