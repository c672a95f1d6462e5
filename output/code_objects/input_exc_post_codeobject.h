#ifndef _INCLUDED_input_exc_post_codeobject
#define _INCLUDED_input_exc_post_codeobject

void _run_input_exc_post_codeobject();

void _debugmsg_input_exc_post_codeobject();

#endif
