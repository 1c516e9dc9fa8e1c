#include "real.h"

extern struct real __start_reals[], __stop_reals[];

void real_start(void)
{
	for (struct real *real = __start_reals; real < __stop_reals; real++)
		real_function(real);
}
