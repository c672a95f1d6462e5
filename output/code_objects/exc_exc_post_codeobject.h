#ifndef _INCLUDED_exc_exc_post_codeobject
#define _INCLUDED_exc_exc_post_codeobject

void _run_exc_exc_post_codeobject();

void _debugmsg_exc_exc_post_codeobject();

#endif
