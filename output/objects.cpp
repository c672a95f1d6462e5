

#include "objects.h"
#include "synapses_classes.h"
#include "brianlib/clocks.h"
#include "brianlib/dynamic_array.h"
#include "brianlib/stdint_compat.h"
#include "network.h"
#include<random>
#include<vector>
#include<iostream>
#include<fstream>
#include<map>
#include<tuple>
#include<cstdlib>
#include<string>

namespace brian {

std::string results_dir = "results/";  // can be overwritten by --results_dir command line arg

// For multhreading, we need one generator for each thread. We also create a distribution for
// each thread, even though this is not strictly necessary for the uniform distribution, as
// the distribution is stateless.
std::vector< RandomGenerator > _random_generators;

//////////////// networks /////////////////
Network network;

void set_variable_from_value(std::string varname, char* var_pointer, size_t size, char value) {
    #ifdef DEBUG
    std::cout << "Setting '" << varname << "' to " << (value == 1 ? "True" : "False") << std::endl;
    #endif
    std::fill(var_pointer, var_pointer+size, value);
}

template<class T> void set_variable_from_value(std::string varname, T* var_pointer, size_t size, T value) {
    #ifdef DEBUG
    std::cout << "Setting '" << varname << "' to " << value << std::endl;
    #endif
    std::fill(var_pointer, var_pointer+size, value);
}

template<class T> void set_variable_from_file(std::string varname, T* var_pointer, size_t data_size, std::string filename) {
    ifstream f;
    streampos size;
    #ifdef DEBUG
    std::cout << "Setting '" << varname << "' from file '" << filename << "'" << std::endl;
    #endif
    f.open(filename, ios::in | ios::binary | ios::ate);
    size = f.tellg();
    if (size != data_size) {
        std::cerr << "Error reading '" << filename << "': file size " << size << " does not match expected size " << data_size << std::endl;
        return;
    }
    f.seekg(0, ios::beg);
    if (f.is_open())
        f.read(reinterpret_cast<char *>(var_pointer), data_size);
    else
        std::cerr << "Could not read '" << filename << "'" << std::endl;
    if (f.fail())
        std::cerr << "Error reading '" << filename << "'" << std::endl;
}

//////////////// set arrays by name ///////
void set_variable_by_name(std::string name, std::string s_value) {
    size_t var_size;
    size_t data_size;
    // C-style or Python-style capitalization is allowed for boolean values
    if (s_value == "true" || s_value == "True")
        s_value = "1";
    else if (s_value == "false" || s_value == "False")
        s_value = "0";
    // non-dynamic arrays
    if (name == "exc._spikespace") {
        var_size = 201;
        data_size = 201*sizeof(int32_t);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<int32_t>(name, _array_exc__spikespace, var_size, (int32_t)atoi(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_exc__spikespace, data_size, s_value);
        }
        return;
    }
    if (name == "exc.g_e") {
        var_size = 200;
        data_size = 200*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_exc_g_e, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_exc_g_e, data_size, s_value);
        }
        return;
    }
    if (name == "exc.g_i") {
        var_size = 200;
        data_size = 200*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_exc_g_i, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_exc_g_i, data_size, s_value);
        }
        return;
    }
    if (name == "exc.lastspike") {
        var_size = 200;
        data_size = 200*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_exc_lastspike, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_exc_lastspike, data_size, s_value);
        }
        return;
    }
    if (name == "exc.not_refractory") {
        var_size = 200;
        data_size = 200*sizeof(char);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value(name, _array_exc_not_refractory, var_size, (char)atoi(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_exc_not_refractory, data_size, s_value);
        }
        return;
    }
    if (name == "exc.v") {
        var_size = 200;
        data_size = 200*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_exc_v, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_exc_v, data_size, s_value);
        }
        return;
    }
    if (name == "inh._spikespace") {
        var_size = 51;
        data_size = 51*sizeof(int32_t);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<int32_t>(name, _array_inh__spikespace, var_size, (int32_t)atoi(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_inh__spikespace, data_size, s_value);
        }
        return;
    }
    if (name == "inh.g_e") {
        var_size = 50;
        data_size = 50*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_inh_g_e, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_inh_g_e, data_size, s_value);
        }
        return;
    }
    if (name == "inh.g_i") {
        var_size = 50;
        data_size = 50*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_inh_g_i, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_inh_g_i, data_size, s_value);
        }
        return;
    }
    if (name == "inh.lastspike") {
        var_size = 50;
        data_size = 50*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_inh_lastspike, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_inh_lastspike, data_size, s_value);
        }
        return;
    }
    if (name == "inh.not_refractory") {
        var_size = 50;
        data_size = 50*sizeof(char);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value(name, _array_inh_not_refractory, var_size, (char)atoi(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_inh_not_refractory, data_size, s_value);
        }
        return;
    }
    if (name == "inh.v") {
        var_size = 50;
        data_size = 50*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_inh_v, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_inh_v, data_size, s_value);
        }
        return;
    }
    if (name == "input._spikespace") {
        var_size = 226;
        data_size = 226*sizeof(int32_t);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<int32_t>(name, _array_input__spikespace, var_size, (int32_t)atoi(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_input__spikespace, data_size, s_value);
        }
        return;
    }
    if (name == "input.rates") {
        var_size = 225;
        data_size = 225*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, _array_input_rates, var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, _array_input_rates, data_size, s_value);
        }
        return;
    }
    // dynamic arrays (1d)
    if (name == "exc_exc.apost") {
        var_size = _dynamic_array_exc_exc_apost.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_exc_apost[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_exc_apost[0], data_size, s_value);
        }
        return;
    }
    if (name == "exc_exc.apre") {
        var_size = _dynamic_array_exc_exc_apre.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_exc_apre[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_exc_apre[0], data_size, s_value);
        }
        return;
    }
    if (name == "exc_exc.delay") {
        var_size = _dynamic_array_exc_exc_delay.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_exc_delay[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_exc_delay[0], data_size, s_value);
        }
        return;
    }
    if (name == "exc_exc.delay") {
        var_size = _dynamic_array_exc_exc_delay_1.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_exc_delay_1[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_exc_delay_1[0], data_size, s_value);
        }
        return;
    }
    if (name == "exc_exc.lastupdate") {
        var_size = _dynamic_array_exc_exc_lastupdate.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_exc_lastupdate[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_exc_lastupdate[0], data_size, s_value);
        }
        return;
    }
    if (name == "exc_exc.w") {
        var_size = _dynamic_array_exc_exc_w.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_exc_w[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_exc_w[0], data_size, s_value);
        }
        return;
    }
    if (name == "exc_inh.delay") {
        var_size = _dynamic_array_exc_inh_delay.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_inh_delay[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_inh_delay[0], data_size, s_value);
        }
        return;
    }
    if (name == "exc_inh.w") {
        var_size = _dynamic_array_exc_inh_w.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_exc_inh_w[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_exc_inh_w[0], data_size, s_value);
        }
        return;
    }
    if (name == "inh_exc.apost") {
        var_size = _dynamic_array_inh_exc_apost.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_inh_exc_apost[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_inh_exc_apost[0], data_size, s_value);
        }
        return;
    }
    if (name == "inh_exc.apre") {
        var_size = _dynamic_array_inh_exc_apre.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_inh_exc_apre[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_inh_exc_apre[0], data_size, s_value);
        }
        return;
    }
    if (name == "inh_exc.delay") {
        var_size = _dynamic_array_inh_exc_delay.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_inh_exc_delay[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_inh_exc_delay[0], data_size, s_value);
        }
        return;
    }
    if (name == "inh_exc.delay") {
        var_size = _dynamic_array_inh_exc_delay_1.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_inh_exc_delay_1[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_inh_exc_delay_1[0], data_size, s_value);
        }
        return;
    }
    if (name == "inh_exc.lastupdate") {
        var_size = _dynamic_array_inh_exc_lastupdate.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_inh_exc_lastupdate[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_inh_exc_lastupdate[0], data_size, s_value);
        }
        return;
    }
    if (name == "inh_exc.w") {
        var_size = _dynamic_array_inh_exc_w.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_inh_exc_w[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_inh_exc_w[0], data_size, s_value);
        }
        return;
    }
    if (name == "input_exc.apost") {
        var_size = _dynamic_array_input_exc_apost.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_input_exc_apost[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_input_exc_apost[0], data_size, s_value);
        }
        return;
    }
    if (name == "input_exc.apre") {
        var_size = _dynamic_array_input_exc_apre.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_input_exc_apre[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_input_exc_apre[0], data_size, s_value);
        }
        return;
    }
    if (name == "input_exc.delay") {
        var_size = _dynamic_array_input_exc_delay.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_input_exc_delay[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_input_exc_delay[0], data_size, s_value);
        }
        return;
    }
    if (name == "input_exc.delay") {
        var_size = _dynamic_array_input_exc_delay_1.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_input_exc_delay_1[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_input_exc_delay_1[0], data_size, s_value);
        }
        return;
    }
    if (name == "input_exc.lastupdate") {
        var_size = _dynamic_array_input_exc_lastupdate.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_input_exc_lastupdate[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_input_exc_lastupdate[0], data_size, s_value);
        }
        return;
    }
    if (name == "input_exc.w") {
        var_size = _dynamic_array_input_exc_w.size();
        data_size = var_size*sizeof(double);
        if (s_value[0] == '-' || (s_value[0] >= '0' && s_value[0] <= '9')) {
            // set from single value
            set_variable_from_value<double>(name, &_dynamic_array_input_exc_w[0], var_size, (double)atof(s_value.c_str()));

        } else {
            // set from file
            set_variable_from_file(name, &_dynamic_array_input_exc_w[0], data_size, s_value);
        }
        return;
    }
    std::cerr << "Cannot set unknown variable '" << name << "'." << std::endl;
    exit(1);
}
//////////////// arrays ///////////////////
double * _array_defaultclock_dt;
const int _num__array_defaultclock_dt = 1;
double * _array_defaultclock_t;
const int _num__array_defaultclock_t = 1;
int64_t * _array_defaultclock_timestep;
const int _num__array_defaultclock_timestep = 1;
int32_t * _array_exc__spikespace;
const int _num__array_exc__spikespace = 201;
int32_t * _array_exc_exc_N;
const int _num__array_exc_exc_N = 1;
double * _array_exc_g_e;
const int _num__array_exc_g_e = 200;
double * _array_exc_g_i;
const int _num__array_exc_g_i = 200;
int32_t * _array_exc_i;
const int _num__array_exc_i = 200;
int32_t * _array_exc_inh_N;
const int _num__array_exc_inh_N = 1;
double * _array_exc_lastspike;
const int _num__array_exc_lastspike = 200;
char * _array_exc_not_refractory;
const int _num__array_exc_not_refractory = 200;
double * _array_exc_v;
const int _num__array_exc_v = 200;
int32_t * _array_inh__spikespace;
const int _num__array_inh__spikespace = 51;
int32_t * _array_inh_exc_N;
const int _num__array_inh_exc_N = 1;
double * _array_inh_g_e;
const int _num__array_inh_g_e = 50;
double * _array_inh_g_i;
const int _num__array_inh_g_i = 50;
int32_t * _array_inh_i;
const int _num__array_inh_i = 50;
double * _array_inh_lastspike;
const int _num__array_inh_lastspike = 50;
char * _array_inh_not_refractory;
const int _num__array_inh_not_refractory = 50;
double * _array_inh_v;
const int _num__array_inh_v = 50;
int32_t * _array_input__spikespace;
const int _num__array_input__spikespace = 226;
int32_t * _array_input_exc_N;
const int _num__array_input_exc_N = 1;
int32_t * _array_input_i;
const int _num__array_input_i = 225;
double * _array_input_rates;
const int _num__array_input_rates = 225;
int32_t * _array_spikemonitor_1__source_idx;
const int _num__array_spikemonitor_1__source_idx = 200;
int32_t * _array_spikemonitor_1_count;
const int _num__array_spikemonitor_1_count = 200;
int32_t * _array_spikemonitor_1_N;
const int _num__array_spikemonitor_1_N = 1;
int32_t * _array_spikemonitor_2__source_idx;
const int _num__array_spikemonitor_2__source_idx = 50;
int32_t * _array_spikemonitor_2_count;
const int _num__array_spikemonitor_2_count = 50;
int32_t * _array_spikemonitor_2_N;
const int _num__array_spikemonitor_2_N = 1;
int32_t * _array_spikemonitor__source_idx;
const int _num__array_spikemonitor__source_idx = 225;
int32_t * _array_spikemonitor_count;
const int _num__array_spikemonitor_count = 225;
int32_t * _array_spikemonitor_N;
const int _num__array_spikemonitor_N = 1;

//////////////// dynamic arrays 1d /////////
std::vector<int32_t> _dynamic_array_exc_exc__synaptic_post;
std::vector<int32_t> _dynamic_array_exc_exc__synaptic_pre;
std::vector<double> _dynamic_array_exc_exc_apost;
std::vector<double> _dynamic_array_exc_exc_apre;
std::vector<double> _dynamic_array_exc_exc_delay;
std::vector<double> _dynamic_array_exc_exc_delay_1;
std::vector<double> _dynamic_array_exc_exc_lastupdate;
std::vector<int32_t> _dynamic_array_exc_exc_N_incoming;
std::vector<int32_t> _dynamic_array_exc_exc_N_outgoing;
std::vector<double> _dynamic_array_exc_exc_w;
std::vector<int32_t> _dynamic_array_exc_inh__synaptic_post;
std::vector<int32_t> _dynamic_array_exc_inh__synaptic_pre;
std::vector<double> _dynamic_array_exc_inh_delay;
std::vector<int32_t> _dynamic_array_exc_inh_N_incoming;
std::vector<int32_t> _dynamic_array_exc_inh_N_outgoing;
std::vector<double> _dynamic_array_exc_inh_w;
std::vector<int32_t> _dynamic_array_inh_exc__synaptic_post;
std::vector<int32_t> _dynamic_array_inh_exc__synaptic_pre;
std::vector<double> _dynamic_array_inh_exc_apost;
std::vector<double> _dynamic_array_inh_exc_apre;
std::vector<double> _dynamic_array_inh_exc_delay;
std::vector<double> _dynamic_array_inh_exc_delay_1;
std::vector<double> _dynamic_array_inh_exc_lastupdate;
std::vector<int32_t> _dynamic_array_inh_exc_N_incoming;
std::vector<int32_t> _dynamic_array_inh_exc_N_outgoing;
std::vector<double> _dynamic_array_inh_exc_w;
std::vector<int32_t> _dynamic_array_input_exc__synaptic_post;
std::vector<int32_t> _dynamic_array_input_exc__synaptic_pre;
std::vector<double> _dynamic_array_input_exc_apost;
std::vector<double> _dynamic_array_input_exc_apre;
std::vector<double> _dynamic_array_input_exc_delay;
std::vector<double> _dynamic_array_input_exc_delay_1;
std::vector<double> _dynamic_array_input_exc_lastupdate;
std::vector<int32_t> _dynamic_array_input_exc_N_incoming;
std::vector<int32_t> _dynamic_array_input_exc_N_outgoing;
std::vector<double> _dynamic_array_input_exc_w;
std::vector<int32_t> _dynamic_array_spikemonitor_1_i;
std::vector<double> _dynamic_array_spikemonitor_1_t;
std::vector<int32_t> _dynamic_array_spikemonitor_2_i;
std::vector<double> _dynamic_array_spikemonitor_2_t;

//////////////// dynamic arrays 2d /////////

/////////////// static arrays /////////////
double * _static_array__array_input_rates;
const int _num__static_array__array_input_rates = 225;

//////////////// synapses /////////////////
// exc_exc
SynapticPathway exc_exc_post(
    _dynamic_array_exc_exc__synaptic_post,
    0, 200);
SynapticPathway exc_exc_pre(
    _dynamic_array_exc_exc__synaptic_pre,
    0, 200);
// exc_inh
SynapticPathway exc_inh_pre(
    _dynamic_array_exc_inh__synaptic_pre,
    0, 200);
// inh_exc
SynapticPathway inh_exc_post(
    _dynamic_array_inh_exc__synaptic_post,
    0, 200);
SynapticPathway inh_exc_pre(
    _dynamic_array_inh_exc__synaptic_pre,
    0, 50);
// input_exc
SynapticPathway input_exc_post(
    _dynamic_array_input_exc__synaptic_post,
    0, 200);
SynapticPathway input_exc_pre(
    _dynamic_array_input_exc__synaptic_pre,
    0, 225);

//////////////// clocks ///////////////////
Clock defaultclock;  // attributes will be set in run.cpp

// Profiling information for each code object
}

void _init_arrays()
{
    using namespace brian;

    // Arrays initialized to 0
    _array_defaultclock_dt = new double[1];
    
    for(int i=0; i<1; i++) _array_defaultclock_dt[i] = 0;

    _array_defaultclock_t = new double[1];
    
    for(int i=0; i<1; i++) _array_defaultclock_t[i] = 0;

    _array_defaultclock_timestep = new int64_t[1];
    
    for(int i=0; i<1; i++) _array_defaultclock_timestep[i] = 0;

    _array_exc__spikespace = new int32_t[201];
    
    for(int i=0; i<201; i++) _array_exc__spikespace[i] = 0;

    _array_exc_exc_N = new int32_t[1];
    
    for(int i=0; i<1; i++) _array_exc_exc_N[i] = 0;

    _array_exc_g_e = new double[200];
    
    for(int i=0; i<200; i++) _array_exc_g_e[i] = 0;

    _array_exc_g_i = new double[200];
    
    for(int i=0; i<200; i++) _array_exc_g_i[i] = 0;

    _array_exc_i = new int32_t[200];
    
    for(int i=0; i<200; i++) _array_exc_i[i] = 0;

    _array_exc_inh_N = new int32_t[1];
    
    for(int i=0; i<1; i++) _array_exc_inh_N[i] = 0;

    _array_exc_lastspike = new double[200];
    
    for(int i=0; i<200; i++) _array_exc_lastspike[i] = 0;

    _array_exc_not_refractory = new char[200];
    
    for(int i=0; i<200; i++) _array_exc_not_refractory[i] = 0;

    _array_exc_v = new double[200];
    
    for(int i=0; i<200; i++) _array_exc_v[i] = 0;

    _array_inh__spikespace = new int32_t[51];
    
    for(int i=0; i<51; i++) _array_inh__spikespace[i] = 0;

    _array_inh_exc_N = new int32_t[1];
    
    for(int i=0; i<1; i++) _array_inh_exc_N[i] = 0;

    _array_inh_g_e = new double[50];
    
    for(int i=0; i<50; i++) _array_inh_g_e[i] = 0;

    _array_inh_g_i = new double[50];
    
    for(int i=0; i<50; i++) _array_inh_g_i[i] = 0;

    _array_inh_i = new int32_t[50];
    
    for(int i=0; i<50; i++) _array_inh_i[i] = 0;

    _array_inh_lastspike = new double[50];
    
    for(int i=0; i<50; i++) _array_inh_lastspike[i] = 0;

    _array_inh_not_refractory = new char[50];
    
    for(int i=0; i<50; i++) _array_inh_not_refractory[i] = 0;

    _array_inh_v = new double[50];
    
    for(int i=0; i<50; i++) _array_inh_v[i] = 0;

    _array_input__spikespace = new int32_t[226];
    
    for(int i=0; i<226; i++) _array_input__spikespace[i] = 0;

    _array_input_exc_N = new int32_t[1];
    
    for(int i=0; i<1; i++) _array_input_exc_N[i] = 0;

    _array_input_i = new int32_t[225];
    
    for(int i=0; i<225; i++) _array_input_i[i] = 0;

    _array_input_rates = new double[225];
    
    for(int i=0; i<225; i++) _array_input_rates[i] = 0;

    _array_spikemonitor_1__source_idx = new int32_t[200];
    
    for(int i=0; i<200; i++) _array_spikemonitor_1__source_idx[i] = 0;

    _array_spikemonitor_1_count = new int32_t[200];
    
    for(int i=0; i<200; i++) _array_spikemonitor_1_count[i] = 0;

    _array_spikemonitor_1_N = new int32_t[1];
    
    for(int i=0; i<1; i++) _array_spikemonitor_1_N[i] = 0;

    _array_spikemonitor_2__source_idx = new int32_t[50];
    
    for(int i=0; i<50; i++) _array_spikemonitor_2__source_idx[i] = 0;

    _array_spikemonitor_2_count = new int32_t[50];
    
    for(int i=0; i<50; i++) _array_spikemonitor_2_count[i] = 0;

    _array_spikemonitor_2_N = new int32_t[1];
    
    for(int i=0; i<1; i++) _array_spikemonitor_2_N[i] = 0;

    _array_spikemonitor__source_idx = new int32_t[225];
    
    for(int i=0; i<225; i++) _array_spikemonitor__source_idx[i] = 0;

    _array_spikemonitor_count = new int32_t[225];
    
    for(int i=0; i<225; i++) _array_spikemonitor_count[i] = 0;

    _array_spikemonitor_N = new int32_t[1];
    
    for(int i=0; i<1; i++) _array_spikemonitor_N[i] = 0;


    // Arrays initialized to an "arange"
    _array_exc_i = new int32_t[200];
    
    for(int i=0; i<200; i++) _array_exc_i[i] = 0 + i;

    _array_inh_i = new int32_t[50];
    
    for(int i=0; i<50; i++) _array_inh_i[i] = 0 + i;

    _array_input_i = new int32_t[225];
    
    for(int i=0; i<225; i++) _array_input_i[i] = 0 + i;

    _array_spikemonitor_1__source_idx = new int32_t[200];
    
    for(int i=0; i<200; i++) _array_spikemonitor_1__source_idx[i] = 0 + i;

    _array_spikemonitor_2__source_idx = new int32_t[50];
    
    for(int i=0; i<50; i++) _array_spikemonitor_2__source_idx[i] = 0 + i;

    _array_spikemonitor__source_idx = new int32_t[225];
    
    for(int i=0; i<225; i++) _array_spikemonitor__source_idx[i] = 0 + i;


    // static arrays
    _static_array__array_input_rates = new double[225];

    // Random number generator states
    std::random_device rd;
    for (int i=0; i<1; i++)
        _random_generators.push_back(RandomGenerator());
}

void _load_arrays()
{
    using namespace brian;

    ifstream f_static_array__array_input_rates;
    f_static_array__array_input_rates.open("static_arrays/_static_array__array_input_rates", ios::in | ios::binary);
    if(f_static_array__array_input_rates.is_open())
    {
        f_static_array__array_input_rates.read(reinterpret_cast<char*>(_static_array__array_input_rates), 225*sizeof(double));
    } else
    {
        std::cout << "Error opening static array _static_array__array_input_rates." << endl;
    }
}

void _write_arrays()
{
    using namespace brian;

    ofstream outfile__array_defaultclock_dt;
    outfile__array_defaultclock_dt.open(results_dir + "_array_defaultclock_dt_1978099143", ios::binary | ios::out);
    if(outfile__array_defaultclock_dt.is_open())
    {
        outfile__array_defaultclock_dt.write(reinterpret_cast<char*>(_array_defaultclock_dt), 1*sizeof(_array_defaultclock_dt[0]));
        outfile__array_defaultclock_dt.close();
    } else
    {
        std::cout << "Error writing output file for _array_defaultclock_dt." << endl;
    }
    ofstream outfile__array_defaultclock_t;
    outfile__array_defaultclock_t.open(results_dir + "_array_defaultclock_t_2669362164", ios::binary | ios::out);
    if(outfile__array_defaultclock_t.is_open())
    {
        outfile__array_defaultclock_t.write(reinterpret_cast<char*>(_array_defaultclock_t), 1*sizeof(_array_defaultclock_t[0]));
        outfile__array_defaultclock_t.close();
    } else
    {
        std::cout << "Error writing output file for _array_defaultclock_t." << endl;
    }
    ofstream outfile__array_defaultclock_timestep;
    outfile__array_defaultclock_timestep.open(results_dir + "_array_defaultclock_timestep_144223508", ios::binary | ios::out);
    if(outfile__array_defaultclock_timestep.is_open())
    {
        outfile__array_defaultclock_timestep.write(reinterpret_cast<char*>(_array_defaultclock_timestep), 1*sizeof(_array_defaultclock_timestep[0]));
        outfile__array_defaultclock_timestep.close();
    } else
    {
        std::cout << "Error writing output file for _array_defaultclock_timestep." << endl;
    }
    ofstream outfile__array_exc__spikespace;
    outfile__array_exc__spikespace.open(results_dir + "_array_exc__spikespace_186237112", ios::binary | ios::out);
    if(outfile__array_exc__spikespace.is_open())
    {
        outfile__array_exc__spikespace.write(reinterpret_cast<char*>(_array_exc__spikespace), 201*sizeof(_array_exc__spikespace[0]));
        outfile__array_exc__spikespace.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc__spikespace." << endl;
    }
    ofstream outfile__array_exc_exc_N;
    outfile__array_exc_exc_N.open(results_dir + "_array_exc_exc_N_3383484252", ios::binary | ios::out);
    if(outfile__array_exc_exc_N.is_open())
    {
        outfile__array_exc_exc_N.write(reinterpret_cast<char*>(_array_exc_exc_N), 1*sizeof(_array_exc_exc_N[0]));
        outfile__array_exc_exc_N.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_exc_N." << endl;
    }
    ofstream outfile__array_exc_g_e;
    outfile__array_exc_g_e.open(results_dir + "_array_exc_g_e_3443391978", ios::binary | ios::out);
    if(outfile__array_exc_g_e.is_open())
    {
        outfile__array_exc_g_e.write(reinterpret_cast<char*>(_array_exc_g_e), 200*sizeof(_array_exc_g_e[0]));
        outfile__array_exc_g_e.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_g_e." << endl;
    }
    ofstream outfile__array_exc_g_i;
    outfile__array_exc_g_i.open(results_dir + "_array_exc_g_i_3297489345", ios::binary | ios::out);
    if(outfile__array_exc_g_i.is_open())
    {
        outfile__array_exc_g_i.write(reinterpret_cast<char*>(_array_exc_g_i), 200*sizeof(_array_exc_g_i[0]));
        outfile__array_exc_g_i.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_g_i." << endl;
    }
    ofstream outfile__array_exc_i;
    outfile__array_exc_i.open(results_dir + "_array_exc_i_2892359347", ios::binary | ios::out);
    if(outfile__array_exc_i.is_open())
    {
        outfile__array_exc_i.write(reinterpret_cast<char*>(_array_exc_i), 200*sizeof(_array_exc_i[0]));
        outfile__array_exc_i.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_i." << endl;
    }
    ofstream outfile__array_exc_inh_N;
    outfile__array_exc_inh_N.open(results_dir + "_array_exc_inh_N_1971115519", ios::binary | ios::out);
    if(outfile__array_exc_inh_N.is_open())
    {
        outfile__array_exc_inh_N.write(reinterpret_cast<char*>(_array_exc_inh_N), 1*sizeof(_array_exc_inh_N[0]));
        outfile__array_exc_inh_N.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_inh_N." << endl;
    }
    ofstream outfile__array_exc_lastspike;
    outfile__array_exc_lastspike.open(results_dir + "_array_exc_lastspike_2193292514", ios::binary | ios::out);
    if(outfile__array_exc_lastspike.is_open())
    {
        outfile__array_exc_lastspike.write(reinterpret_cast<char*>(_array_exc_lastspike), 200*sizeof(_array_exc_lastspike[0]));
        outfile__array_exc_lastspike.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_lastspike." << endl;
    }
    ofstream outfile__array_exc_not_refractory;
    outfile__array_exc_not_refractory.open(results_dir + "_array_exc_not_refractory_2812404659", ios::binary | ios::out);
    if(outfile__array_exc_not_refractory.is_open())
    {
        outfile__array_exc_not_refractory.write(reinterpret_cast<char*>(_array_exc_not_refractory), 200*sizeof(_array_exc_not_refractory[0]));
        outfile__array_exc_not_refractory.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_not_refractory." << endl;
    }
    ofstream outfile__array_exc_v;
    outfile__array_exc_v.open(results_dir + "_array_exc_v_560851782", ios::binary | ios::out);
    if(outfile__array_exc_v.is_open())
    {
        outfile__array_exc_v.write(reinterpret_cast<char*>(_array_exc_v), 200*sizeof(_array_exc_v[0]));
        outfile__array_exc_v.close();
    } else
    {
        std::cout << "Error writing output file for _array_exc_v." << endl;
    }
    ofstream outfile__array_inh__spikespace;
    outfile__array_inh__spikespace.open(results_dir + "_array_inh__spikespace_928358693", ios::binary | ios::out);
    if(outfile__array_inh__spikespace.is_open())
    {
        outfile__array_inh__spikespace.write(reinterpret_cast<char*>(_array_inh__spikespace), 51*sizeof(_array_inh__spikespace[0]));
        outfile__array_inh__spikespace.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh__spikespace." << endl;
    }
    ofstream outfile__array_inh_exc_N;
    outfile__array_inh_exc_N.open(results_dir + "_array_inh_exc_N_2538356766", ios::binary | ios::out);
    if(outfile__array_inh_exc_N.is_open())
    {
        outfile__array_inh_exc_N.write(reinterpret_cast<char*>(_array_inh_exc_N), 1*sizeof(_array_inh_exc_N[0]));
        outfile__array_inh_exc_N.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh_exc_N." << endl;
    }
    ofstream outfile__array_inh_g_e;
    outfile__array_inh_g_e.open(results_dir + "_array_inh_g_e_2831304457", ios::binary | ios::out);
    if(outfile__array_inh_g_e.is_open())
    {
        outfile__array_inh_g_e.write(reinterpret_cast<char*>(_array_inh_g_e), 50*sizeof(_array_inh_g_e[0]));
        outfile__array_inh_g_e.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh_g_e." << endl;
    }
    ofstream outfile__array_inh_g_i;
    outfile__array_inh_g_i.open(results_dir + "_array_inh_g_i_2708736802", ios::binary | ios::out);
    if(outfile__array_inh_g_i.is_open())
    {
        outfile__array_inh_g_i.write(reinterpret_cast<char*>(_array_inh_g_i), 50*sizeof(_array_inh_g_i[0]));
        outfile__array_inh_g_i.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh_g_i." << endl;
    }
    ofstream outfile__array_inh_i;
    outfile__array_inh_i.open(results_dir + "_array_inh_i_280161296", ios::binary | ios::out);
    if(outfile__array_inh_i.is_open())
    {
        outfile__array_inh_i.write(reinterpret_cast<char*>(_array_inh_i), 50*sizeof(_array_inh_i[0]));
        outfile__array_inh_i.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh_i." << endl;
    }
    ofstream outfile__array_inh_lastspike;
    outfile__array_inh_lastspike.open(results_dir + "_array_inh_lastspike_3624176193", ios::binary | ios::out);
    if(outfile__array_inh_lastspike.is_open())
    {
        outfile__array_inh_lastspike.write(reinterpret_cast<char*>(_array_inh_lastspike), 50*sizeof(_array_inh_lastspike[0]));
        outfile__array_inh_lastspike.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh_lastspike." << endl;
    }
    ofstream outfile__array_inh_not_refractory;
    outfile__array_inh_not_refractory.open(results_dir + "_array_inh_not_refractory_1374068593", ios::binary | ios::out);
    if(outfile__array_inh_not_refractory.is_open())
    {
        outfile__array_inh_not_refractory.write(reinterpret_cast<char*>(_array_inh_not_refractory), 50*sizeof(_array_inh_not_refractory[0]));
        outfile__array_inh_not_refractory.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh_not_refractory." << endl;
    }
    ofstream outfile__array_inh_v;
    outfile__array_inh_v.open(results_dir + "_array_inh_v_2646270437", ios::binary | ios::out);
    if(outfile__array_inh_v.is_open())
    {
        outfile__array_inh_v.write(reinterpret_cast<char*>(_array_inh_v), 50*sizeof(_array_inh_v[0]));
        outfile__array_inh_v.close();
    } else
    {
        std::cout << "Error writing output file for _array_inh_v." << endl;
    }
    ofstream outfile__array_input__spikespace;
    outfile__array_input__spikespace.open(results_dir + "_array_input__spikespace_2730110521", ios::binary | ios::out);
    if(outfile__array_input__spikespace.is_open())
    {
        outfile__array_input__spikespace.write(reinterpret_cast<char*>(_array_input__spikespace), 226*sizeof(_array_input__spikespace[0]));
        outfile__array_input__spikespace.close();
    } else
    {
        std::cout << "Error writing output file for _array_input__spikespace." << endl;
    }
    ofstream outfile__array_input_exc_N;
    outfile__array_input_exc_N.open(results_dir + "_array_input_exc_N_1771920743", ios::binary | ios::out);
    if(outfile__array_input_exc_N.is_open())
    {
        outfile__array_input_exc_N.write(reinterpret_cast<char*>(_array_input_exc_N), 1*sizeof(_array_input_exc_N[0]));
        outfile__array_input_exc_N.close();
    } else
    {
        std::cout << "Error writing output file for _array_input_exc_N." << endl;
    }
    ofstream outfile__array_input_i;
    outfile__array_input_i.open(results_dir + "_array_input_i_537625874", ios::binary | ios::out);
    if(outfile__array_input_i.is_open())
    {
        outfile__array_input_i.write(reinterpret_cast<char*>(_array_input_i), 225*sizeof(_array_input_i[0]));
        outfile__array_input_i.close();
    } else
    {
        std::cout << "Error writing output file for _array_input_i." << endl;
    }
    ofstream outfile__array_input_rates;
    outfile__array_input_rates.open(results_dir + "_array_input_rates_4075039101", ios::binary | ios::out);
    if(outfile__array_input_rates.is_open())
    {
        outfile__array_input_rates.write(reinterpret_cast<char*>(_array_input_rates), 225*sizeof(_array_input_rates[0]));
        outfile__array_input_rates.close();
    } else
    {
        std::cout << "Error writing output file for _array_input_rates." << endl;
    }
    ofstream outfile__array_spikemonitor_1__source_idx;
    outfile__array_spikemonitor_1__source_idx.open(results_dir + "_array_spikemonitor_1__source_idx_3609292218", ios::binary | ios::out);
    if(outfile__array_spikemonitor_1__source_idx.is_open())
    {
        outfile__array_spikemonitor_1__source_idx.write(reinterpret_cast<char*>(_array_spikemonitor_1__source_idx), 200*sizeof(_array_spikemonitor_1__source_idx[0]));
        outfile__array_spikemonitor_1__source_idx.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_1__source_idx." << endl;
    }
    ofstream outfile__array_spikemonitor_1_count;
    outfile__array_spikemonitor_1_count.open(results_dir + "_array_spikemonitor_1_count_3862916462", ios::binary | ios::out);
    if(outfile__array_spikemonitor_1_count.is_open())
    {
        outfile__array_spikemonitor_1_count.write(reinterpret_cast<char*>(_array_spikemonitor_1_count), 200*sizeof(_array_spikemonitor_1_count[0]));
        outfile__array_spikemonitor_1_count.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_1_count." << endl;
    }
    ofstream outfile__array_spikemonitor_1_N;
    outfile__array_spikemonitor_1_N.open(results_dir + "_array_spikemonitor_1_N_2390248205", ios::binary | ios::out);
    if(outfile__array_spikemonitor_1_N.is_open())
    {
        outfile__array_spikemonitor_1_N.write(reinterpret_cast<char*>(_array_spikemonitor_1_N), 1*sizeof(_array_spikemonitor_1_N[0]));
        outfile__array_spikemonitor_1_N.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_1_N." << endl;
    }
    ofstream outfile__array_spikemonitor_2__source_idx;
    outfile__array_spikemonitor_2__source_idx.open(results_dir + "_array_spikemonitor_2__source_idx_1793786228", ios::binary | ios::out);
    if(outfile__array_spikemonitor_2__source_idx.is_open())
    {
        outfile__array_spikemonitor_2__source_idx.write(reinterpret_cast<char*>(_array_spikemonitor_2__source_idx), 50*sizeof(_array_spikemonitor_2__source_idx[0]));
        outfile__array_spikemonitor_2__source_idx.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_2__source_idx." << endl;
    }
    ofstream outfile__array_spikemonitor_2_count;
    outfile__array_spikemonitor_2_count.open(results_dir + "_array_spikemonitor_2_count_3621222387", ios::binary | ios::out);
    if(outfile__array_spikemonitor_2_count.is_open())
    {
        outfile__array_spikemonitor_2_count.write(reinterpret_cast<char*>(_array_spikemonitor_2_count), 50*sizeof(_array_spikemonitor_2_count[0]));
        outfile__array_spikemonitor_2_count.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_2_count." << endl;
    }
    ofstream outfile__array_spikemonitor_2_N;
    outfile__array_spikemonitor_2_N.open(results_dir + "_array_spikemonitor_2_N_2352936276", ios::binary | ios::out);
    if(outfile__array_spikemonitor_2_N.is_open())
    {
        outfile__array_spikemonitor_2_N.write(reinterpret_cast<char*>(_array_spikemonitor_2_N), 1*sizeof(_array_spikemonitor_2_N[0]));
        outfile__array_spikemonitor_2_N.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_2_N." << endl;
    }
    ofstream outfile__array_spikemonitor__source_idx;
    outfile__array_spikemonitor__source_idx.open(results_dir + "_array_spikemonitor__source_idx_1477951789", ios::binary | ios::out);
    if(outfile__array_spikemonitor__source_idx.is_open())
    {
        outfile__array_spikemonitor__source_idx.write(reinterpret_cast<char*>(_array_spikemonitor__source_idx), 225*sizeof(_array_spikemonitor__source_idx[0]));
        outfile__array_spikemonitor__source_idx.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor__source_idx." << endl;
    }
    ofstream outfile__array_spikemonitor_count;
    outfile__array_spikemonitor_count.open(results_dir + "_array_spikemonitor_count_598337445", ios::binary | ios::out);
    if(outfile__array_spikemonitor_count.is_open())
    {
        outfile__array_spikemonitor_count.write(reinterpret_cast<char*>(_array_spikemonitor_count), 225*sizeof(_array_spikemonitor_count[0]));
        outfile__array_spikemonitor_count.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_count." << endl;
    }
    ofstream outfile__array_spikemonitor_N;
    outfile__array_spikemonitor_N.open(results_dir + "_array_spikemonitor_N_225734567", ios::binary | ios::out);
    if(outfile__array_spikemonitor_N.is_open())
    {
        outfile__array_spikemonitor_N.write(reinterpret_cast<char*>(_array_spikemonitor_N), 1*sizeof(_array_spikemonitor_N[0]));
        outfile__array_spikemonitor_N.close();
    } else
    {
        std::cout << "Error writing output file for _array_spikemonitor_N." << endl;
    }

    ofstream outfile__dynamic_array_exc_exc__synaptic_post;
    outfile__dynamic_array_exc_exc__synaptic_post.open(results_dir + "_dynamic_array_exc_exc__synaptic_post_1472592469", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc__synaptic_post.is_open())
    {
        if (! _dynamic_array_exc_exc__synaptic_post.empty() )
        {
            outfile__dynamic_array_exc_exc__synaptic_post.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc__synaptic_post[0]), _dynamic_array_exc_exc__synaptic_post.size()*sizeof(_dynamic_array_exc_exc__synaptic_post[0]));
            outfile__dynamic_array_exc_exc__synaptic_post.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc__synaptic_post." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc__synaptic_pre;
    outfile__dynamic_array_exc_exc__synaptic_pre.open(results_dir + "_dynamic_array_exc_exc__synaptic_pre_2845694315", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc__synaptic_pre.is_open())
    {
        if (! _dynamic_array_exc_exc__synaptic_pre.empty() )
        {
            outfile__dynamic_array_exc_exc__synaptic_pre.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc__synaptic_pre[0]), _dynamic_array_exc_exc__synaptic_pre.size()*sizeof(_dynamic_array_exc_exc__synaptic_pre[0]));
            outfile__dynamic_array_exc_exc__synaptic_pre.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc__synaptic_pre." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_apost;
    outfile__dynamic_array_exc_exc_apost.open(results_dir + "_dynamic_array_exc_exc_apost_282572310", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_apost.is_open())
    {
        if (! _dynamic_array_exc_exc_apost.empty() )
        {
            outfile__dynamic_array_exc_exc_apost.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_apost[0]), _dynamic_array_exc_exc_apost.size()*sizeof(_dynamic_array_exc_exc_apost[0]));
            outfile__dynamic_array_exc_exc_apost.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_apost." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_apre;
    outfile__dynamic_array_exc_exc_apre.open(results_dir + "_dynamic_array_exc_exc_apre_153019781", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_apre.is_open())
    {
        if (! _dynamic_array_exc_exc_apre.empty() )
        {
            outfile__dynamic_array_exc_exc_apre.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_apre[0]), _dynamic_array_exc_exc_apre.size()*sizeof(_dynamic_array_exc_exc_apre[0]));
            outfile__dynamic_array_exc_exc_apre.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_apre." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_delay;
    outfile__dynamic_array_exc_exc_delay.open(results_dir + "_dynamic_array_exc_exc_delay_3153276156", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_delay.is_open())
    {
        if (! _dynamic_array_exc_exc_delay.empty() )
        {
            outfile__dynamic_array_exc_exc_delay.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_delay[0]), _dynamic_array_exc_exc_delay.size()*sizeof(_dynamic_array_exc_exc_delay[0]));
            outfile__dynamic_array_exc_exc_delay.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_delay." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_delay_1;
    outfile__dynamic_array_exc_exc_delay_1.open(results_dir + "_dynamic_array_exc_exc_delay_1_2817862399", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_delay_1.is_open())
    {
        if (! _dynamic_array_exc_exc_delay_1.empty() )
        {
            outfile__dynamic_array_exc_exc_delay_1.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_delay_1[0]), _dynamic_array_exc_exc_delay_1.size()*sizeof(_dynamic_array_exc_exc_delay_1[0]));
            outfile__dynamic_array_exc_exc_delay_1.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_delay_1." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_lastupdate;
    outfile__dynamic_array_exc_exc_lastupdate.open(results_dir + "_dynamic_array_exc_exc_lastupdate_3393038841", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_lastupdate.is_open())
    {
        if (! _dynamic_array_exc_exc_lastupdate.empty() )
        {
            outfile__dynamic_array_exc_exc_lastupdate.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_lastupdate[0]), _dynamic_array_exc_exc_lastupdate.size()*sizeof(_dynamic_array_exc_exc_lastupdate[0]));
            outfile__dynamic_array_exc_exc_lastupdate.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_lastupdate." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_N_incoming;
    outfile__dynamic_array_exc_exc_N_incoming.open(results_dir + "_dynamic_array_exc_exc_N_incoming_1404365607", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_N_incoming.is_open())
    {
        if (! _dynamic_array_exc_exc_N_incoming.empty() )
        {
            outfile__dynamic_array_exc_exc_N_incoming.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_N_incoming[0]), _dynamic_array_exc_exc_N_incoming.size()*sizeof(_dynamic_array_exc_exc_N_incoming[0]));
            outfile__dynamic_array_exc_exc_N_incoming.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_N_incoming." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_N_outgoing;
    outfile__dynamic_array_exc_exc_N_outgoing.open(results_dir + "_dynamic_array_exc_exc_N_outgoing_1957207037", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_N_outgoing.is_open())
    {
        if (! _dynamic_array_exc_exc_N_outgoing.empty() )
        {
            outfile__dynamic_array_exc_exc_N_outgoing.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_N_outgoing[0]), _dynamic_array_exc_exc_N_outgoing.size()*sizeof(_dynamic_array_exc_exc_N_outgoing[0]));
            outfile__dynamic_array_exc_exc_N_outgoing.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_N_outgoing." << endl;
    }
    ofstream outfile__dynamic_array_exc_exc_w;
    outfile__dynamic_array_exc_exc_w.open(results_dir + "_dynamic_array_exc_exc_w_3101502504", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_exc_w.is_open())
    {
        if (! _dynamic_array_exc_exc_w.empty() )
        {
            outfile__dynamic_array_exc_exc_w.write(reinterpret_cast<char*>(&_dynamic_array_exc_exc_w[0]), _dynamic_array_exc_exc_w.size()*sizeof(_dynamic_array_exc_exc_w[0]));
            outfile__dynamic_array_exc_exc_w.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_exc_w." << endl;
    }
    ofstream outfile__dynamic_array_exc_inh__synaptic_post;
    outfile__dynamic_array_exc_inh__synaptic_post.open(results_dir + "_dynamic_array_exc_inh__synaptic_post_2709685911", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_inh__synaptic_post.is_open())
    {
        if (! _dynamic_array_exc_inh__synaptic_post.empty() )
        {
            outfile__dynamic_array_exc_inh__synaptic_post.write(reinterpret_cast<char*>(&_dynamic_array_exc_inh__synaptic_post[0]), _dynamic_array_exc_inh__synaptic_post.size()*sizeof(_dynamic_array_exc_inh__synaptic_post[0]));
            outfile__dynamic_array_exc_inh__synaptic_post.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_inh__synaptic_post." << endl;
    }
    ofstream outfile__dynamic_array_exc_inh__synaptic_pre;
    outfile__dynamic_array_exc_inh__synaptic_pre.open(results_dir + "_dynamic_array_exc_inh__synaptic_pre_1472676030", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_inh__synaptic_pre.is_open())
    {
        if (! _dynamic_array_exc_inh__synaptic_pre.empty() )
        {
            outfile__dynamic_array_exc_inh__synaptic_pre.write(reinterpret_cast<char*>(&_dynamic_array_exc_inh__synaptic_pre[0]), _dynamic_array_exc_inh__synaptic_pre.size()*sizeof(_dynamic_array_exc_inh__synaptic_pre[0]));
            outfile__dynamic_array_exc_inh__synaptic_pre.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_inh__synaptic_pre." << endl;
    }
    ofstream outfile__dynamic_array_exc_inh_delay;
    outfile__dynamic_array_exc_inh_delay.open(results_dir + "_dynamic_array_exc_inh_delay_3843339198", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_inh_delay.is_open())
    {
        if (! _dynamic_array_exc_inh_delay.empty() )
        {
            outfile__dynamic_array_exc_inh_delay.write(reinterpret_cast<char*>(&_dynamic_array_exc_inh_delay[0]), _dynamic_array_exc_inh_delay.size()*sizeof(_dynamic_array_exc_inh_delay[0]));
            outfile__dynamic_array_exc_inh_delay.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_inh_delay." << endl;
    }
    ofstream outfile__dynamic_array_exc_inh_N_incoming;
    outfile__dynamic_array_exc_inh_N_incoming.open(results_dir + "_dynamic_array_exc_inh_N_incoming_473016067", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_inh_N_incoming.is_open())
    {
        if (! _dynamic_array_exc_inh_N_incoming.empty() )
        {
            outfile__dynamic_array_exc_inh_N_incoming.write(reinterpret_cast<char*>(&_dynamic_array_exc_inh_N_incoming[0]), _dynamic_array_exc_inh_N_incoming.size()*sizeof(_dynamic_array_exc_inh_N_incoming[0]));
            outfile__dynamic_array_exc_inh_N_incoming.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_inh_N_incoming." << endl;
    }
    ofstream outfile__dynamic_array_exc_inh_N_outgoing;
    outfile__dynamic_array_exc_inh_N_outgoing.open(results_dir + "_dynamic_array_exc_inh_N_outgoing_992860121", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_inh_N_outgoing.is_open())
    {
        if (! _dynamic_array_exc_inh_N_outgoing.empty() )
        {
            outfile__dynamic_array_exc_inh_N_outgoing.write(reinterpret_cast<char*>(&_dynamic_array_exc_inh_N_outgoing[0]), _dynamic_array_exc_inh_N_outgoing.size()*sizeof(_dynamic_array_exc_inh_N_outgoing[0]));
            outfile__dynamic_array_exc_inh_N_outgoing.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_inh_N_outgoing." << endl;
    }
    ofstream outfile__dynamic_array_exc_inh_w;
    outfile__dynamic_array_exc_inh_w.open(results_dir + "_dynamic_array_exc_inh_w_67774091", ios::binary | ios::out);
    if(outfile__dynamic_array_exc_inh_w.is_open())
    {
        if (! _dynamic_array_exc_inh_w.empty() )
        {
            outfile__dynamic_array_exc_inh_w.write(reinterpret_cast<char*>(&_dynamic_array_exc_inh_w[0]), _dynamic_array_exc_inh_w.size()*sizeof(_dynamic_array_exc_inh_w[0]));
            outfile__dynamic_array_exc_inh_w.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_exc_inh_w." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc__synaptic_post;
    outfile__dynamic_array_inh_exc__synaptic_post.open(results_dir + "_dynamic_array_inh_exc__synaptic_post_1032635143", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc__synaptic_post.is_open())
    {
        if (! _dynamic_array_inh_exc__synaptic_post.empty() )
        {
            outfile__dynamic_array_inh_exc__synaptic_post.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc__synaptic_post[0]), _dynamic_array_inh_exc__synaptic_post.size()*sizeof(_dynamic_array_inh_exc__synaptic_post[0]));
            outfile__dynamic_array_inh_exc__synaptic_post.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc__synaptic_post." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc__synaptic_pre;
    outfile__dynamic_array_inh_exc__synaptic_pre.open(results_dir + "_dynamic_array_inh_exc__synaptic_pre_1350859130", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc__synaptic_pre.is_open())
    {
        if (! _dynamic_array_inh_exc__synaptic_pre.empty() )
        {
            outfile__dynamic_array_inh_exc__synaptic_pre.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc__synaptic_pre[0]), _dynamic_array_inh_exc__synaptic_pre.size()*sizeof(_dynamic_array_inh_exc__synaptic_pre[0]));
            outfile__dynamic_array_inh_exc__synaptic_pre.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc__synaptic_pre." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_apost;
    outfile__dynamic_array_inh_exc_apost.open(results_dir + "_dynamic_array_inh_exc_apost_1248444597", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_apost.is_open())
    {
        if (! _dynamic_array_inh_exc_apost.empty() )
        {
            outfile__dynamic_array_inh_exc_apost.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_apost[0]), _dynamic_array_inh_exc_apost.size()*sizeof(_dynamic_array_inh_exc_apost[0]));
            outfile__dynamic_array_inh_exc_apost.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_apost." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_apre;
    outfile__dynamic_array_inh_exc_apre.open(results_dir + "_dynamic_array_inh_exc_apre_2998361467", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_apre.is_open())
    {
        if (! _dynamic_array_inh_exc_apre.empty() )
        {
            outfile__dynamic_array_inh_exc_apre.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_apre[0]), _dynamic_array_inh_exc_apre.size()*sizeof(_dynamic_array_inh_exc_apre[0]));
            outfile__dynamic_array_inh_exc_apre.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_apre." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_delay;
    outfile__dynamic_array_inh_exc_delay.open(results_dir + "_dynamic_array_inh_exc_delay_3779943007", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_delay.is_open())
    {
        if (! _dynamic_array_inh_exc_delay.empty() )
        {
            outfile__dynamic_array_inh_exc_delay.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_delay[0]), _dynamic_array_inh_exc_delay.size()*sizeof(_dynamic_array_inh_exc_delay[0]));
            outfile__dynamic_array_inh_exc_delay.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_delay." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_delay_1;
    outfile__dynamic_array_inh_exc_delay_1.open(results_dir + "_dynamic_array_inh_exc_delay_1_2612611938", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_delay_1.is_open())
    {
        if (! _dynamic_array_inh_exc_delay_1.empty() )
        {
            outfile__dynamic_array_inh_exc_delay_1.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_delay_1[0]), _dynamic_array_inh_exc_delay_1.size()*sizeof(_dynamic_array_inh_exc_delay_1[0]));
            outfile__dynamic_array_inh_exc_delay_1.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_delay_1." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_lastupdate;
    outfile__dynamic_array_inh_exc_lastupdate.open(results_dir + "_dynamic_array_inh_exc_lastupdate_1014682939", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_lastupdate.is_open())
    {
        if (! _dynamic_array_inh_exc_lastupdate.empty() )
        {
            outfile__dynamic_array_inh_exc_lastupdate.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_lastupdate[0]), _dynamic_array_inh_exc_lastupdate.size()*sizeof(_dynamic_array_inh_exc_lastupdate[0]));
            outfile__dynamic_array_inh_exc_lastupdate.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_lastupdate." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_N_incoming;
    outfile__dynamic_array_inh_exc_N_incoming.open(results_dir + "_dynamic_array_inh_exc_N_incoming_2784204773", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_N_incoming.is_open())
    {
        if (! _dynamic_array_inh_exc_N_incoming.empty() )
        {
            outfile__dynamic_array_inh_exc_N_incoming.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_N_incoming[0]), _dynamic_array_inh_exc_N_incoming.size()*sizeof(_dynamic_array_inh_exc_N_incoming[0]));
            outfile__dynamic_array_inh_exc_N_incoming.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_N_incoming." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_N_outgoing;
    outfile__dynamic_array_inh_exc_N_outgoing.open(results_dir + "_dynamic_array_inh_exc_N_outgoing_2196760383", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_N_outgoing.is_open())
    {
        if (! _dynamic_array_inh_exc_N_outgoing.empty() )
        {
            outfile__dynamic_array_inh_exc_N_outgoing.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_N_outgoing[0]), _dynamic_array_inh_exc_N_outgoing.size()*sizeof(_dynamic_array_inh_exc_N_outgoing[0]));
            outfile__dynamic_array_inh_exc_N_outgoing.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_N_outgoing." << endl;
    }
    ofstream outfile__dynamic_array_inh_exc_w;
    outfile__dynamic_array_inh_exc_w.open(results_dir + "_dynamic_array_inh_exc_w_3862606698", ios::binary | ios::out);
    if(outfile__dynamic_array_inh_exc_w.is_open())
    {
        if (! _dynamic_array_inh_exc_w.empty() )
        {
            outfile__dynamic_array_inh_exc_w.write(reinterpret_cast<char*>(&_dynamic_array_inh_exc_w[0]), _dynamic_array_inh_exc_w.size()*sizeof(_dynamic_array_inh_exc_w[0]));
            outfile__dynamic_array_inh_exc_w.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_inh_exc_w." << endl;
    }
    ofstream outfile__dynamic_array_input_exc__synaptic_post;
    outfile__dynamic_array_input_exc__synaptic_post.open(results_dir + "_dynamic_array_input_exc__synaptic_post_17618544", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc__synaptic_post.is_open())
    {
        if (! _dynamic_array_input_exc__synaptic_post.empty() )
        {
            outfile__dynamic_array_input_exc__synaptic_post.write(reinterpret_cast<char*>(&_dynamic_array_input_exc__synaptic_post[0]), _dynamic_array_input_exc__synaptic_post.size()*sizeof(_dynamic_array_input_exc__synaptic_post[0]));
            outfile__dynamic_array_input_exc__synaptic_post.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc__synaptic_post." << endl;
    }
    ofstream outfile__dynamic_array_input_exc__synaptic_pre;
    outfile__dynamic_array_input_exc__synaptic_pre.open(results_dir + "_dynamic_array_input_exc__synaptic_pre_3547717470", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc__synaptic_pre.is_open())
    {
        if (! _dynamic_array_input_exc__synaptic_pre.empty() )
        {
            outfile__dynamic_array_input_exc__synaptic_pre.write(reinterpret_cast<char*>(&_dynamic_array_input_exc__synaptic_pre[0]), _dynamic_array_input_exc__synaptic_pre.size()*sizeof(_dynamic_array_input_exc__synaptic_pre[0]));
            outfile__dynamic_array_input_exc__synaptic_pre.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc__synaptic_pre." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_apost;
    outfile__dynamic_array_input_exc_apost.open(results_dir + "_dynamic_array_input_exc_apost_2461332310", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_apost.is_open())
    {
        if (! _dynamic_array_input_exc_apost.empty() )
        {
            outfile__dynamic_array_input_exc_apost.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_apost[0]), _dynamic_array_input_exc_apost.size()*sizeof(_dynamic_array_input_exc_apost[0]));
            outfile__dynamic_array_input_exc_apost.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_apost." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_apre;
    outfile__dynamic_array_input_exc_apre.open(results_dir + "_dynamic_array_input_exc_apre_1655661779", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_apre.is_open())
    {
        if (! _dynamic_array_input_exc_apre.empty() )
        {
            outfile__dynamic_array_input_exc_apre.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_apre[0]), _dynamic_array_input_exc_apre.size()*sizeof(_dynamic_array_input_exc_apre[0]));
            outfile__dynamic_array_input_exc_apre.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_apre." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_delay;
    outfile__dynamic_array_input_exc_delay.open(results_dir + "_dynamic_array_input_exc_delay_965765564", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_delay.is_open())
    {
        if (! _dynamic_array_input_exc_delay.empty() )
        {
            outfile__dynamic_array_input_exc_delay.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_delay[0]), _dynamic_array_input_exc_delay.size()*sizeof(_dynamic_array_input_exc_delay[0]));
            outfile__dynamic_array_input_exc_delay.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_delay." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_delay_1;
    outfile__dynamic_array_input_exc_delay_1.open(results_dir + "_dynamic_array_input_exc_delay_1_1362776710", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_delay_1.is_open())
    {
        if (! _dynamic_array_input_exc_delay_1.empty() )
        {
            outfile__dynamic_array_input_exc_delay_1.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_delay_1[0]), _dynamic_array_input_exc_delay_1.size()*sizeof(_dynamic_array_input_exc_delay_1[0]));
            outfile__dynamic_array_input_exc_delay_1.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_delay_1." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_lastupdate;
    outfile__dynamic_array_input_exc_lastupdate.open(results_dir + "_dynamic_array_input_exc_lastupdate_2099303951", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_lastupdate.is_open())
    {
        if (! _dynamic_array_input_exc_lastupdate.empty() )
        {
            outfile__dynamic_array_input_exc_lastupdate.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_lastupdate[0]), _dynamic_array_input_exc_lastupdate.size()*sizeof(_dynamic_array_input_exc_lastupdate[0]));
            outfile__dynamic_array_input_exc_lastupdate.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_lastupdate." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_N_incoming;
    outfile__dynamic_array_input_exc_N_incoming.open(results_dir + "_dynamic_array_input_exc_N_incoming_3836318929", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_N_incoming.is_open())
    {
        if (! _dynamic_array_input_exc_N_incoming.empty() )
        {
            outfile__dynamic_array_input_exc_N_incoming.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_N_incoming[0]), _dynamic_array_input_exc_N_incoming.size()*sizeof(_dynamic_array_input_exc_N_incoming[0]));
            outfile__dynamic_array_input_exc_N_incoming.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_N_incoming." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_N_outgoing;
    outfile__dynamic_array_input_exc_N_outgoing.open(results_dir + "_dynamic_array_input_exc_N_outgoing_3283477515", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_N_outgoing.is_open())
    {
        if (! _dynamic_array_input_exc_N_outgoing.empty() )
        {
            outfile__dynamic_array_input_exc_N_outgoing.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_N_outgoing[0]), _dynamic_array_input_exc_N_outgoing.size()*sizeof(_dynamic_array_input_exc_N_outgoing[0]));
            outfile__dynamic_array_input_exc_N_outgoing.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_N_outgoing." << endl;
    }
    ofstream outfile__dynamic_array_input_exc_w;
    outfile__dynamic_array_input_exc_w.open(results_dir + "_dynamic_array_input_exc_w_1925539154", ios::binary | ios::out);
    if(outfile__dynamic_array_input_exc_w.is_open())
    {
        if (! _dynamic_array_input_exc_w.empty() )
        {
            outfile__dynamic_array_input_exc_w.write(reinterpret_cast<char*>(&_dynamic_array_input_exc_w[0]), _dynamic_array_input_exc_w.size()*sizeof(_dynamic_array_input_exc_w[0]));
            outfile__dynamic_array_input_exc_w.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_input_exc_w." << endl;
    }
    ofstream outfile__dynamic_array_spikemonitor_1_i;
    outfile__dynamic_array_spikemonitor_1_i.open(results_dir + "_dynamic_array_spikemonitor_1_i_2680224553", ios::binary | ios::out);
    if(outfile__dynamic_array_spikemonitor_1_i.is_open())
    {
        if (! _dynamic_array_spikemonitor_1_i.empty() )
        {
            outfile__dynamic_array_spikemonitor_1_i.write(reinterpret_cast<char*>(&_dynamic_array_spikemonitor_1_i[0]), _dynamic_array_spikemonitor_1_i.size()*sizeof(_dynamic_array_spikemonitor_1_i[0]));
            outfile__dynamic_array_spikemonitor_1_i.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_spikemonitor_1_i." << endl;
    }
    ofstream outfile__dynamic_array_spikemonitor_1_t;
    outfile__dynamic_array_spikemonitor_1_t.open(results_dir + "_dynamic_array_spikemonitor_1_t_4240873456", ios::binary | ios::out);
    if(outfile__dynamic_array_spikemonitor_1_t.is_open())
    {
        if (! _dynamic_array_spikemonitor_1_t.empty() )
        {
            outfile__dynamic_array_spikemonitor_1_t.write(reinterpret_cast<char*>(&_dynamic_array_spikemonitor_1_t[0]), _dynamic_array_spikemonitor_1_t.size()*sizeof(_dynamic_array_spikemonitor_1_t[0]));
            outfile__dynamic_array_spikemonitor_1_t.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_spikemonitor_1_t." << endl;
    }
    ofstream outfile__dynamic_array_spikemonitor_2_i;
    outfile__dynamic_array_spikemonitor_2_i.open(results_dir + "_dynamic_array_spikemonitor_2_i_2642822512", ios::binary | ios::out);
    if(outfile__dynamic_array_spikemonitor_2_i.is_open())
    {
        if (! _dynamic_array_spikemonitor_2_i.empty() )
        {
            outfile__dynamic_array_spikemonitor_2_i.write(reinterpret_cast<char*>(&_dynamic_array_spikemonitor_2_i[0]), _dynamic_array_spikemonitor_2_i.size()*sizeof(_dynamic_array_spikemonitor_2_i[0]));
            outfile__dynamic_array_spikemonitor_2_i.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_spikemonitor_2_i." << endl;
    }
    ofstream outfile__dynamic_array_spikemonitor_2_t;
    outfile__dynamic_array_spikemonitor_2_t.open(results_dir + "_dynamic_array_spikemonitor_2_t_4269812137", ios::binary | ios::out);
    if(outfile__dynamic_array_spikemonitor_2_t.is_open())
    {
        if (! _dynamic_array_spikemonitor_2_t.empty() )
        {
            outfile__dynamic_array_spikemonitor_2_t.write(reinterpret_cast<char*>(&_dynamic_array_spikemonitor_2_t[0]), _dynamic_array_spikemonitor_2_t.size()*sizeof(_dynamic_array_spikemonitor_2_t[0]));
            outfile__dynamic_array_spikemonitor_2_t.close();
        }
    } else
    {
        std::cout << "Error writing output file for _dynamic_array_spikemonitor_2_t." << endl;
    }

    // Write last run info to disk
    ofstream outfile_last_run_info;
    outfile_last_run_info.open(results_dir + "last_run_info.txt", ios::out);
    if(outfile_last_run_info.is_open())
    {
        outfile_last_run_info << (Network::_last_run_time) << " " << (Network::_last_run_completed_fraction) << std::endl;
        outfile_last_run_info.close();
    } else
    {
        std::cout << "Error writing last run info to file." << std::endl;
    }
}

void _dealloc_arrays()
{
    using namespace brian;


    // static arrays
    if(_static_array__array_input_rates!=0)
    {
        delete [] _static_array__array_input_rates;
        _static_array__array_input_rates = 0;
    }
}

