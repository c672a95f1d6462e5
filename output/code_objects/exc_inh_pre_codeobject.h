#ifndef _INCLUDED_exc_inh_pre_codeobject
#define _INCLUDED_exc_inh_pre_codeobject

void _run_exc_inh_pre_codeobject();

void _debugmsg_exc_inh_pre_codeobject();

#endif
