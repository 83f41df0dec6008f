#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
// mallopt, which the Glibc module leaves out: how librdkafka's memory is managed is a matter of this library.
#include <malloc.h>
