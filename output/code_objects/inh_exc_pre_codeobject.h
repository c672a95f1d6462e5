#ifndef _INCLUDED_inh_exc_pre_codeobject
#define _INCLUDED_inh_exc_pre_codeobject

void _run_inh_exc_pre_codeobject();

void _debugmsg_inh_exc_pre_codeobject();

#endif
