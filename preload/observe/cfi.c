#include "observe/cfi.h"

#include <errno.h>
#include <string.h>

#include "observe/cfi_registers_x86_64.h"

#define STATES_MOST 4
#define TABLE_ENCODING 0x3b /* relative to the header, four bytes signed */

enum encoding {
	ENCODED_ABSOLUTE = 0x00,
	ENCODED_UDATA4 = 0x03,
	ENCODED_SDATA4 = 0x0b,
	ENCODED_SDATA8 = 0x0c,
	ENCODED_FORMAT = 0x0f,
	ENCODED_PC_RELATIVE = 0x10,
	ENCODED_OMITTED = 0xff,
};

/* A range of bytes to read; `bad` when more was read than there is. */
struct reader {
	const uint8_t *next, *end;
	bool bad;
};

static uint64_t read_bytes(struct reader *reader, unsigned size)
{
	uint64_t value = 0;
	if ((uintptr_t)(reader->end - reader->next) < size) {
		reader->bad = true;
		reader->next = reader->end;
		return 0;
	}
	memcpy(&value, reader->next, size);
	reader->next += size;
	return value;
}

static uint64_t read_uleb(struct reader *reader)
{
	uint64_t value = 0;
	for (unsigned shift = 0; !reader->bad; shift += 7) {
		uint64_t byte = read_bytes(reader, 1);
		value |= shift < 64 ? (byte & 0x7f) << shift : 0;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

static int64_t read_sleb(struct reader *reader)
{
	uint64_t value = 0, byte = 0x80;
	unsigned shift = 0;
	for (; byte & 0x80 && !reader->bad; shift += 7) {
		byte = read_bytes(reader, 1);
		value |= shift < 64 ? (byte & 0x7f) << shift : 0;
	}
	if (shift < 64 && byte & 0x40)
		value |= ~(uint64_t)0 << shift;
	return (int64_t)value;
}

static uint64_t read_encoded(struct reader *reader, uint8_t encoding)
{
	uintptr_t at = (uintptr_t)reader->next;
	uint64_t value = 0;
	switch (encoding & ENCODED_FORMAT) {
	case ENCODED_UDATA4: value = read_bytes(reader, 4); break;
	case ENCODED_SDATA4: value = (uint64_t)(int64_t)(int32_t)read_bytes(reader, 4); break;
	case ENCODED_ABSOLUTE:
	case ENCODED_SDATA8: value = read_bytes(reader, 8); break;
	default: reader->bad = true;
	}
	if (encoding & ~(ENCODED_FORMAT | ENCODED_PC_RELATIVE))
		reader->bad = true;
	return encoding & ENCODED_PC_RELATIVE ? at + value : value;
}

/* --- the entry for an instruction --- */

/* What a common information entry says for its functions. */
struct common {
	uint64_t code_step;
	int64_t data_step;
	uint64_t return_register;
	uint8_t encoding;
	bool augmented, signal;
	struct reader instructions;
};

/* Length, then the entry itself. */
static bool entry_open(const uint8_t *at, struct reader *reader)
{
	uint32_t length;
	memcpy(&length, at, sizeof(length));
	*reader = (struct reader){at + sizeof(length), at + sizeof(length) + length, false};
	return length && length < 0xfffffff0u;
}

static void read_augmentation(struct reader *reader, const char *letters, struct common *common)
{
	uint64_t size = read_uleb(reader);
	const uint8_t *end = reader->next + size;
	for (letters++; *letters && !reader->bad; letters++) {
		switch (*letters) {
		case 'R': common->encoding = (uint8_t)read_bytes(reader, 1); break;
		case 'L': read_bytes(reader, 1); break;
		case 'P':
			/* An indirect personality is a pointer to read: only its size matters. */
			read_encoded(reader, (uint8_t)read_bytes(reader, 1) & 0x7f);
			break;
		case 'S': common->signal = true; break;
		default: letters = ""; letters--; /* the rest is skipped by its size */
		}
	}
	if (size > (uintptr_t)(reader->end - (end - size)))
		reader->bad = true;
	else
		reader->next = end;
}

static bool common_read(const uint8_t *at, struct common *common)
{
	struct reader reader;
	if (!entry_open(at, &reader) || read_bytes(&reader, 4) != 0)
		return false;
	uint64_t version = read_bytes(&reader, 1);
	const char *letters = (const char *)reader.next;
	while (read_bytes(&reader, 1))
		;
	common->code_step = read_uleb(&reader);
	common->data_step = read_sleb(&reader);
	common->return_register = version == 1 ? read_bytes(&reader, 1) : read_uleb(&reader);
	common->encoding = ENCODED_ABSOLUTE;
	common->augmented = *letters == 'z';
	common->signal = false;
	if (common->augmented)
		read_augmentation(&reader, letters, common);
	common->instructions = reader;
	return !reader.bad && (version == 1 || version == 3) && (common->augmented || !*letters);
}

struct entry {
	struct common common;
	uintptr_t start; /* of the function */
	struct reader instructions;
};

static int entry_read(const uint8_t *at, uintptr_t instruction, struct entry *entry)
{
	struct reader reader;
	if (!entry_open(at, &reader))
		return -ENOTSUP;
	const uint8_t *place = reader.next;
	uint64_t distance = read_bytes(&reader, 4);
	if (!distance || !common_read(place - distance, &entry->common))
		return -ENOTSUP;
	entry->start = read_encoded(&reader, entry->common.encoding);
	uint64_t length = read_encoded(&reader, entry->common.encoding & ENCODED_FORMAT);
	if (entry->common.augmented) {
		uint64_t skipped = read_uleb(&reader);
		reader.bad |= skipped > (uintptr_t)(reader.end - reader.next);
		reader.next += reader.bad ? 0 : skipped;
	}
	entry->instructions = reader;
	if (reader.bad)
		return -ENOTSUP;
	return instruction - entry->start < length ? 0 : -ENOENT;
}

/* The last function of the sorted table that begins at or below the instruction. */
static const uint8_t *table_search(const uint8_t *header, uintptr_t instruction)
{
	struct reader reader = {header + 4, header + 4 + 16, false};
	if (header[0] != 1 || header[3] != TABLE_ENCODING || header[2] == ENCODED_OMITTED)
		return NULL;
	read_encoded(&reader, header[1]);
	uint64_t low = 0, high = read_encoded(&reader, header[2]);
	const int32_t(*table)[2] = (const void *)reader.next;
	int64_t wanted = (int64_t)(instruction - (uintptr_t)header);
	if (reader.bad || !high || table[0][0] > wanted)
		return NULL;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (table[middle][0] <= wanted)
			low = middle;
		else
			high = middle;
	}
	return header + table[low][1];
}

/* --- the instructions --- */

enum where { HERE_SAME, HERE_AT_CFA, HERE_AT_FRAME, HERE_NOWHERE, HERE_UNKNOWN };

struct place {
	enum where where;
	int64_t offset;
};

struct state {
	enum cfi_register base_register;
	int64_t base_offset;
	bool base_loaded, base_unknown;
	int64_t base_added;
	struct place return_address, places[CFI_REGISTERS];
};

struct machine {
	const struct entry *entry;
	uintptr_t instruction, location;
	struct state now, initial, kept[STATES_MOST];
	unsigned kept_count;
	bool failed;
};

/* The places of registers that are of no interest are written here. */
static struct place *place_of(struct machine *machine, uint64_t number, struct place *other)
{
	enum cfi_register which;
	if (number == machine->entry->common.return_register)
		return &machine->now.return_address;
	return cfi_register(number, &which) ? &machine->now.places[which] : other;
}

static void set_place(struct machine *machine, uint64_t number, enum where where, int64_t offset)
{
	struct place other;
	*place_of(machine, number, &other) = (struct place){where, offset};
}

static void restore_place(struct machine *machine, uint64_t number)
{
	struct state now = machine->now;
	struct place other = {0}, *place = place_of(machine, number, &other);
	machine->now = machine->initial;
	struct place before = *place;
	machine->now = now;
	*place = before;
}

static void set_base_register(struct machine *machine, uint64_t number)
{
	machine->now.base_unknown = !cfi_register(number, &machine->now.base_register);
}

static void set_base(struct machine *machine, uint64_t number, int64_t offset)
{
	set_base_register(machine, number);
	machine->now.base_offset = offset;
	machine->now.base_loaded = false;
	machine->now.base_added = 0;
}

enum operation { OP_DEREF = 0x06, OP_PLUS_UCONST = 0x23, OP_BREG0 = 0x70, OP_BREG31 = 0x8f };

/* Expressions of the forms: register + offset, then a load, then a constant to add. */
static void set_base_expression(struct machine *machine, struct reader expression)
{
	if (cfi_linkage_table(expression.next, expression.end, machine->instruction,
			      &machine->now.base_offset)) {
		machine->now.base_register = CFI_STACK_POINTER;
		machine->now.base_loaded = machine->now.base_unknown = false;
		machine->now.base_added = 0;
		return;
	}
	uint64_t operation = read_bytes(&expression, 1);
	int64_t offset = read_sleb(&expression);
	machine->now.base_unknown = true;
	if (operation < OP_BREG0 || operation > OP_BREG31)
		return;
	set_base(machine, operation - OP_BREG0, offset);
	if (expression.next < expression.end && *expression.next == OP_DEREF) {
		expression.next++;
		machine->now.base_loaded = true;
	}
	if (expression.next < expression.end && *expression.next == OP_PLUS_UCONST) {
		expression.next++;
		machine->now.base_added = (int64_t)read_uleb(&expression);
	}
	machine->now.base_unknown |= expression.bad || expression.next != expression.end;
}

/* Stored at frame pointer + offset, as where the stack was realigned. */
static void set_place_expression(struct machine *machine, uint64_t number, struct reader expression)
{
	uint64_t operation = read_bytes(&expression, 1);
	int64_t offset = read_sleb(&expression);
	bool known = operation == OP_BREG0 + CFI_DWARF_FRAME && !expression.bad &&
		     expression.next == expression.end;
	set_place(machine, number, known ? HERE_AT_FRAME : HERE_UNKNOWN, offset);
}

static struct reader read_block(struct reader *reader)
{
	uint64_t size = read_uleb(reader);
	struct reader block = {reader->next, reader->next + size, false};
	if (size > (uintptr_t)(reader->end - reader->next)) {
		reader->bad = true;
		block.end = block.next;
	} else {
		reader->next += size;
	}
	return block;
}

static void keep_state(struct machine *machine)
{
	if (machine->kept_count == STATES_MOST)
		machine->failed = true;
	else
		machine->kept[machine->kept_count++] = machine->now;
}

static void restore_state(struct machine *machine)
{
	if (!machine->kept_count)
		machine->failed = true;
	else
		machine->now = machine->kept[--machine->kept_count];
}

static void advance(struct machine *machine, uint64_t steps)
{
	machine->location += steps * machine->entry->common.code_step;
}

/* DW_CFA_...: those with an operand in their lower six bits have it in `operand`. */
static void run_one(struct machine *machine, struct reader *reader, uint64_t code)
{
	const int64_t step = machine->entry->common.data_step;
	uint64_t number;
	switch (code) {
	case 0x00: break;
	case 0x02: advance(machine, read_bytes(reader, 1)); break;
	case 0x03: advance(machine, read_bytes(reader, 2)); break;
	case 0x04: advance(machine, read_bytes(reader, 4)); break;
	case 0x05: /* offset_extended */
		number = read_uleb(reader);
		set_place(machine, number, HERE_AT_CFA, (int64_t)read_uleb(reader) * step);
		break;
	case 0x06: restore_place(machine, read_uleb(reader)); break;
	case 0x07: set_place(machine, read_uleb(reader), HERE_NOWHERE, 0); break;
	case 0x08: set_place(machine, read_uleb(reader), HERE_SAME, 0); break;
	case 0x09: /* register */
		set_place(machine, read_uleb(reader), HERE_UNKNOWN, 0);
		read_uleb(reader);
		break;
	case 0x0a: keep_state(machine); break;
	case 0x0b: restore_state(machine); break;
	case 0x0c: /* def_cfa */
		number = read_uleb(reader);
		set_base(machine, number, (int64_t)read_uleb(reader));
		break;
	case 0x0d: set_base_register(machine, read_uleb(reader)); break;
	case 0x0e: machine->now.base_offset = (int64_t)read_uleb(reader); break;
	case 0x0f: set_base_expression(machine, read_block(reader)); break;
	case 0x10: /* expression */
		number = read_uleb(reader);
		set_place_expression(machine, number, read_block(reader));
		break;
	case 0x11: /* offset_extended_sf */
		number = read_uleb(reader);
		set_place(machine, number, HERE_AT_CFA, read_sleb(reader) * step);
		break;
	case 0x12: /* def_cfa_sf */
		number = read_uleb(reader);
		set_base(machine, number, read_sleb(reader) * step);
		break;
	case 0x13: machine->now.base_offset = read_sleb(reader) * step; break;
	case 0x14: /* val_offset */
	case 0x15: /* val_offset_sf */
		set_place(machine, read_uleb(reader), HERE_UNKNOWN, 0);
		read_uleb(reader);
		break;
	case 0x16: /* val_expression */
		set_place(machine, read_uleb(reader), HERE_UNKNOWN, 0);
		read_block(reader);
		break;
	case 0x2e: read_uleb(reader); break; /* GNU_args_size */
	default: machine->failed = true;
	}
}

static void run(struct machine *machine, struct reader reader)
{
	const int64_t step = machine->entry->common.data_step;
	while (reader.next < reader.end && !machine->failed) {
		uint64_t code = read_bytes(&reader, 1), operand = code & 0x3f;
		if (code >> 6 == 1)
			advance(machine, operand);
		else if (code >> 6 == 2)
			set_place(machine, operand, HERE_AT_CFA,
				  (int64_t)read_uleb(&reader) * step);
		else if (code >> 6 == 3)
			restore_place(machine, operand);
		else
			run_one(machine, &reader, code);
		machine->failed |= reader.bad;
		if (machine->location > machine->instruction)
			break;
	}
}

/* --- the rule --- */

static bool set_rule_base(const struct state *state, struct cfi_rule *rule)
{
	int64_t offset = state->base_offset + (state->base_loaded ? 0 : state->base_added);
	rule->from = (uint8_t)state->base_register;
	rule->loaded = state->base_loaded;
	rule->offset = (int32_t)offset;
	rule->added = (int16_t)(state->base_loaded ? state->base_added : 0);
	return !state->base_unknown && rule->offset == offset;
}

static bool set_place_rule(const struct place *place, struct cfi_place *rule)
{
	rule->offset = (int16_t)place->offset;
	rule->saved = place->where == HERE_AT_CFA     ? CFI_AT_CFA
		      : place->where == HERE_AT_FRAME ? CFI_AT_FRAME
						      : CFI_SAME;
	return place->where != HERE_UNKNOWN && rule->offset == place->offset;
}

static bool set_rule_saved(const struct state *state, struct cfi_rule *rule)
{
	const struct place *back = &state->return_address;
	rule->outermost = back->where == HERE_NOWHERE;
	rule->return_address = (int16_t)back->offset;
	return (rule->outermost || back->where == HERE_AT_CFA) &&
	       rule->return_address == back->offset &&
	       state->places[CFI_STACK_POINTER].where == HERE_SAME &&
	       set_place_rule(&state->places[CFI_FRAME_POINTER],
			      &rule->places[CFI_FRAME_POINTER]) &&
	       set_place_rule(&state->places[CFI_BASE_POINTER], &rule->places[CFI_BASE_POINTER]);
}

int cfi_find(const void *header, uintptr_t instruction, struct cfi_rule *rule)
{
	struct entry entry;
	struct machine machine = {.entry = &entry, .instruction = instruction};
	const uint8_t *at = table_search(header, instruction);
	*rule = (struct cfi_rule){0};
	int error = at ? entry_read(at, instruction, &entry) : -ENOENT;
	rule->signal = !error && entry.common.signal;
	if (error || rule->signal)
		return error;
	run(&machine, entry.common.instructions);
	machine.initial = machine.now;
	machine.location = entry.start;
	if (!machine.failed)
		run(&machine, entry.instructions);
	bool understood = !machine.failed && set_rule_saved(&machine.now, rule) &&
			  (rule->outermost || set_rule_base(&machine.now, rule));
	return understood ? 0 : -ENOTSUP;
}
