/* Prints the options' table for README.md: the library's own, so that they cannot differ. */
#include "base/options.h"

int main(void)
{
	options_print(1, OPTIONS_MARKDOWN);
	return 0;
}
