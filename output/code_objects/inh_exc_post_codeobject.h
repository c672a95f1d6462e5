#ifndef _INCLUDED_inh_exc_post_codeobject
#define _INCLUDED_inh_exc_post_codeobject

void _run_inh_exc_post_codeobject();

void _debugmsg_inh_exc_post_codeobject();

#endif
