{# One code object as a phase of a step on a GPU: a function that every thread of a replica's block runs. #}
{% macro cpp_file() %}
#include "code_objects/{{codeobj_name}}.h"
#include "objects.h"
#include "brianlib/common_math.h"
#include "brianlib/stdint_compat.h"
#include "device.h"
#include "on_device.h"
#include <cmath>
#include <climits>
{% for name in user_headers | sort %}
#include {{name}}
{% endfor %}

namespace {
    {{on_device(support_code_lines)|autoindent}}
}

#define int_ homeonet::to_int  // Brian2's is the host's
HOMEONET_PHASE phase_{{codeobj_name}}(const homeonet::Step& _step)
{
    using namespace on_device;
    // clocks are this block's own: blocks do not wait for each other
    int64_t _timestep = _step.number;
    double _time = _step.time;
    int64_t* const _array_defaultclock_timestep = &_timestep;
    double* const _array_defaultclock_t = &_time;
    {{slow_clocks(variables)|autoindent}}
    %CONSTANTS%
    {{on_device(pointers_lines)|autoindent}}
    {% block maincode %}
    {% endblock %}
}
#undef int_

// Brian2's list of objects names it; its order and clock are read from there
void _run_{{codeobj_name}}() {}
{% endmacro %}

{% macro h_file() %}
#ifndef _INCLUDED_{{codeobj_name}}
#define _INCLUDED_{{codeobj_name}}
void _run_{{codeobj_name}}();
#endif
{% endmacro %}

{% macro before_run_cpp_file() %}{% endmacro %}
{% macro before_run_h_file() %}{% endmacro %}
{% macro after_run_cpp_file() %}{% endmacro %}
{% macro after_run_h_file() %}{% endmacro %}
