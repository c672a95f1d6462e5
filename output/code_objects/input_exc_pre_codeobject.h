#ifndef _INCLUDED_input_exc_pre_codeobject
#define _INCLUDED_input_exc_pre_codeobject

void _run_input_exc_pre_codeobject();

void _debugmsg_input_exc_pre_codeobject();

#endif
