#include "observe/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "observe/cfi.h"

#define RULES_MOST 8192
#define RESTORER_LENGTH 9
#define GUESS_MOST ((uintptr_t)1 << 20) /* larger frames are unlikely */

/* glibc's struct dl_find_object, for builds against an older one. */
struct found_object {
	unsigned long long flags;
	void *map_start, *map_end, *link_map, *header;
	unsigned long long reserved[7];
};

static int (*find_object)(void *address, struct found_object *result);

/*
 * Rules met before, by instruction. An entry is read while others write it: it counts only when
 * both words fit together, and to the code that is there now.
 */
struct known {
	_Atomic uint64_t key; /* instruction xor rule, and the generation above all addresses */
	_Atomic uint64_t rule;
};

static _Atomic uint64_t generation;

static struct known known[RULES_MOST];

bool unwind_start(void)
{
	*(void **)&find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
	return find_object;
}

/* --- rules in a word --- */

struct packed {
	int64_t offset : 24;
	int64_t return_address : 8; /* all in words */
	int64_t frame_pointer : 8;
	int64_t base_pointer : 8;
	uint64_t from : 2;
	uint64_t frame_saved : 2;
	uint64_t base_saved : 2;
	uint64_t loaded : 1;
	uint64_t signal : 1;
	uint64_t outermost : 1;
	uint64_t used : 1;
};

#define WORD 8

static void unpack(uint64_t word, struct cfi_rule *rule)
{
	struct packed packed;
	memcpy(&packed, &word, sizeof(packed));
	rule->offset = packed.offset;
	rule->from = packed.from;
	rule->loaded = packed.loaded;
	rule->added = 0;
	rule->return_address = (int16_t)(packed.return_address * WORD);
	rule->places[CFI_FRAME_POINTER] = (struct cfi_place){(int16_t)(packed.frame_pointer * WORD),
							     packed.frame_saved};
	rule->places[CFI_BASE_POINTER] = (struct cfi_place){(int16_t)(packed.base_pointer * WORD),
							    packed.base_saved};
	rule->signal = packed.signal;
	rule->outermost = packed.outermost;
}

static bool same(const struct cfi_place *a, const struct cfi_place *b)
{
	return a->offset == b->offset && a->saved == b->saved;
}

/* False for the few that do not fit. */
static bool pack(const struct cfi_rule *rule, uint64_t *word)
{
	const struct cfi_place *frame = &rule->places[CFI_FRAME_POINTER];
	const struct cfi_place *base = &rule->places[CFI_BASE_POINTER];
	const struct packed packed = {
		.offset = rule->offset,
		.return_address = rule->return_address / WORD,
		.frame_pointer = frame->offset / WORD,
		.base_pointer = base->offset / WORD,
		.from = rule->from & 3,
		.frame_saved = frame->saved & 3,
		.base_saved = base->saved & 3,
		.loaded = rule->loaded,
		.signal = rule->signal,
		.outermost = rule->outermost,
		.used = 1,
	};
	struct cfi_rule again;
	memcpy(word, &packed, sizeof(packed));
	unpack(*word, &again);
	return !rule->added && rule->offset == again.offset &&
	       rule->return_address == again.return_address &&
	       same(frame, &again.places[CFI_FRAME_POINTER]) &&
	       same(base, &again.places[CFI_BASE_POINTER]);
}

static struct known *entry_of(uintptr_t instruction)
{
	return &known[(instruction * 0x9e3779b97f4a7c15u) >> 51];
}

static uint64_t key_of(uintptr_t instruction, uint64_t word)
{
	uint64_t now = atomic_load_explicit(&generation, memory_order_relaxed);
	return instruction ^ word ^ now << 48;
}

static bool recall(uintptr_t instruction, struct cfi_rule *rule)
{
	struct known *entry = entry_of(instruction);
	uint64_t word = atomic_load_explicit(&entry->rule, memory_order_relaxed);
	if (!word ||
	    atomic_load_explicit(&entry->key, memory_order_relaxed) != key_of(instruction, word))
		return false;
	unpack(word, rule);
	return true;
}

static void remember(uintptr_t instruction, const struct cfi_rule *rule)
{
	struct known *entry = entry_of(instruction);
	uint64_t word;
	if (!pack(rule, &word))
		return;
	atomic_store_explicit(&entry->rule, word, memory_order_relaxed);
	atomic_store_explicit(&entry->key, key_of(instruction, word), memory_order_relaxed);
}

void unwind_forget(void)
{
	atomic_fetch_add(&generation, 1);
}

enum found { FOUND, NOT_DESCRIBED, NOT_UNDERSTOOD };

static enum found find(uintptr_t instruction, struct cfi_rule *rule)
{
	struct found_object object;
	if (recall(instruction, rule))
		return FOUND;
	if (find_object((void *)instruction, &object) || !object.header)
		return NOT_DESCRIBED;
	int error = cfi_find(object.header, instruction, rule);
	if (error)
		return error == -ENOENT ? NOT_DESCRIBED : NOT_UNDERSTOOD;
	remember(instruction, rule);
	return FOUND;
}

static bool is_code(uintptr_t instruction)
{
	struct found_object object;
	return !find_object((void *)instruction, &object);
}

/* --- where to begin --- */

void unwind_at(const ucontext_t *interrupted, struct unwind *unwind)
{
	const greg_t *registers = interrupted->uc_mcontext.gregs;
	*unwind = (struct unwind){
		.instruction = (uintptr_t)registers[REG_RIP],
		.registers = {[CFI_STACK_POINTER] = (uintptr_t)registers[REG_RSP],
			      [CFI_FRAME_POINTER] = (uintptr_t)registers[REG_RBP],
			      [CFI_BASE_POINTER] = (uintptr_t)registers[REG_RBX]},
		.exact = true,
	};
}

/* --- steps --- */

static uintptr_t load(uintptr_t address)
{
	return *(const volatile uintptr_t *)address;
}

/* mov $15, %rax; syscall: what the kernel and libunwind know a signal's return by. */
static bool is_restorer(uintptr_t instruction)
{
	static const char code[RESTORER_LENGTH] = {0x48, (char)0xc7, (char)0xc0, 0x0f, 0,
						   0,    0,          0x0f,       0x05};
	return !memcmp((const void *)instruction, code, sizeof(code));
}

/* The handler has returned to the restorer, so the stack pointer is at the kernel's ucontext. */
static bool step_signal(struct unwind *unwind)
{
	if (!is_restorer(unwind->instruction))
		return false;
	const ucontext_t *context = (const void *)unwind->registers[CFI_STACK_POINTER];
	unwind_at(context, unwind);
	return true;
}

/*
 * Code that nothing describes. What it calls has left the frame pointer alone, if it keeps one: it
 * then points to the caller's, further out on this stack, below the return address.
 */
static bool step_guess(struct unwind *unwind)
{
	uintptr_t *registers = unwind->registers, frame = registers[CFI_FRAME_POINTER];
	if (frame % WORD || frame - registers[CFI_STACK_POINTER] > GUESS_MOST)
		return false;
	uintptr_t outer = load(frame), back = load(frame + WORD);
	if (outer - frame > GUESS_MOST && !is_code(back))
		return false;
	unwind->instruction = back;
	registers[CFI_FRAME_POINTER] = outer;
	registers[CFI_STACK_POINTER] = frame + 2 * WORD;
	unwind->exact = false;
	return back;
}

static uintptr_t at(uintptr_t base, int64_t offset)
{
	return base + (uintptr_t)offset;
}

static uintptr_t frame_address(const struct unwind *unwind, const struct cfi_rule *rule)
{
	uintptr_t address = at(unwind->registers[rule->from], rule->offset);
	return rule->loaded ? at(load(address), rule->added) : address;
}

static uintptr_t outer_value(const struct unwind *unwind, const struct cfi_rule *rule,
			     enum cfi_register which, uintptr_t address)
{
	const struct cfi_place *place = &rule->places[which];
	switch (place->saved) {
	case CFI_AT_CFA: return load(at(address, place->offset));
	case CFI_AT_FRAME: return load(at(unwind->registers[CFI_FRAME_POINTER], place->offset));
	default: return unwind->registers[which];
	}
}

bool unwind_step(struct unwind *unwind)
{
	uintptr_t *registers = unwind->registers;
	struct cfi_rule rule;
	switch (find(unwind->instruction - !unwind->exact, &rule)) {
	case FOUND: break;
	case NOT_DESCRIBED: return step_guess(unwind);
	default: return false;
	}
	if (rule.signal)
		return step_signal(unwind);
	if (rule.outermost)
		return false;
	uintptr_t address = frame_address(unwind, &rule);
	if (address <= registers[CFI_STACK_POINTER])
		return false;
	uintptr_t base = outer_value(unwind, &rule, CFI_BASE_POINTER, address);
	registers[CFI_FRAME_POINTER] = outer_value(unwind, &rule, CFI_FRAME_POINTER, address);
	registers[CFI_BASE_POINTER] = base;
	registers[CFI_STACK_POINTER] = address;
	unwind->instruction = load(at(address, rule.return_address));
	unwind->exact = false;
	return unwind->instruction;
}
