#include "door.h"

#include "scope.h"

extern struct door __start_doors[], __stop_doors[];

void door_start(void)
{
	for (struct door *door = __start_doors; door < __stop_doors; door++)
		door->real = dlsym(RTLD_NEXT, door->name);
}

void door_judge(void)
{
	for (struct door *door = __start_doors; door < __stop_doors; door++)
		door->foreign = door->real && !scope_in_libc((uintptr_t)door->real);
}
