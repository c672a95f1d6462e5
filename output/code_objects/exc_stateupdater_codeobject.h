#ifndef _INCLUDED_exc_stateupdater_codeobject
#define _INCLUDED_exc_stateupdater_codeobject

void _run_exc_stateupdater_codeobject();


#endif
