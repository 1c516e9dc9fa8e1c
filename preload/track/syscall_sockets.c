/* Sockets: message headers, and options with outputs of their own. */
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include "syscall_outputs.h"

#define OPTION_SPAN 256 /* some options ignore a senseless length and write what they have */
#define FILTER_INSTRUCTION 8
#define TCP_ZEROCOPY_RECEIVE_OPTION 35
#define XTABLES_REPLACE 64 /* of IPv4, IPv6 and ARP tables alike */
#define XTABLES_COUNTER 16 /* packets and bytes */
#define BRIDGE_REPLACE 128
#define BRIDGE_GET_ENTRIES 129
#define BRIDGE_GET_INIT_ENTRIES 131

/* The kernel's struct tcp_zerocopy_receive, as far as it names memory. */
struct zerocopy_receive {
	uint64_t mapped[3];
	uint64_t copy;
	int32_t copy_length;
	uint32_t flags;
	uint64_t control;
	uint64_t control_length;
};

/* The kernel's struct ebt_replace. */
struct bridge_table {
	char name[32];
	uint32_t hooks;
	uint32_t entry_count;
	uint32_t entries_size;
	uint64_t hook_entries[6];
	uint32_t counter_count;
	uint64_t counters;
	uint64_t entries;
};

void output_add_msghdr(struct output_list *list, uintptr_t address)
{
	struct msghdr header;
	if (!output_read(list, &header, address, sizeof(header)))
		return;
	output_add(list, address, sizeof(header));
	if ((int)header.msg_namelen > 0)
		output_add(list, (uintptr_t)header.msg_name, header.msg_namelen);
	if (header.msg_iovlen <= OUTPUT_IOVECS_MOST)
		output_add_iovecs(list, (uintptr_t)header.msg_iov, header.msg_iovlen);
	output_add(list, (uintptr_t)header.msg_control, header.msg_controllen);
}

/* sendmmsg writes the msg_len of each message that it sent. */
void outputs_sendmmsg(struct output_list *list, const long *args)
{
	uint32_t count = (uint32_t)args[2];
	count = count < OUTPUT_IOVECS_MOST ? count : OUTPUT_IOVECS_MOST;
	output_add(list, (uintptr_t)args[1], count * sizeof(struct mmsghdr));
}

/* Bytes of kernel-mapped data that are not whole pages, and control messages. */
static void add_tcp_zerocopy(struct output_list *list, uintptr_t value, uint32_t length)
{
	struct zerocopy_receive receive = {0};
	uintptr_t size = length < sizeof(receive) ? length : sizeof(receive);
	if (!output_read(list, &receive, value, size))
		return;
	if (receive.copy_length > 0)
		output_add(list, receive.copy, (uintptr_t)receive.copy_length);
	output_add(list, receive.control, receive.control_length);
}

/* Tables of the bridge: the caller's structure points to buffers for rules and counters. */
static void add_bridge_table(struct output_list *list, uintptr_t value)
{
	struct bridge_table table;
	if (!output_read(list, &table, value, sizeof(table)))
		return;
	output_add(list, table.entries, table.entries_size);
	output_add(list, table.counters, (uintptr_t)table.counter_count * XTABLES_COUNTER);
}

void outputs_getsockopt(struct output_list *list, const long *args)
{
	int level = (int)args[1], option = (int)args[2];
	uintptr_t value = (uintptr_t)args[3], length_address = (uintptr_t)args[4];
	int32_t length;
	if (!output_read(list, &length, length_address, sizeof(length)))
		return;
	output_add(list, length_address, sizeof(length));
	uintptr_t bytes = length < 0 ? OPTION_SPAN : (uintptr_t)length;
	if (level == SOL_SOCKET && option == SO_GET_FILTER)
		bytes *= FILTER_INSTRUCTION; /* its length counts instructions */
	output_add(list, value, bytes);
	if (level == IPPROTO_TCP && option == TCP_ZEROCOPY_RECEIVE_OPTION && length > 0)
		add_tcp_zerocopy(list, value, (uint32_t)length);
	if (level == IPPROTO_IP &&
	    (option == BRIDGE_GET_ENTRIES || option == BRIDGE_GET_INIT_ENTRIES))
		add_bridge_table(list, value);
}

/* Replacing a packet filter table hands back the counters of the old one. */
void outputs_setsockopt(struct output_list *list, const long *args)
{
	int level = (int)args[1], option = (int)args[2];
	uintptr_t value = (uintptr_t)args[3];
	if (level != IPPROTO_IP && level != IPPROTO_IPV6)
		return;
	if (option == BRIDGE_REPLACE)
		add_bridge_table(list, value);
	else if (option == XTABLES_REPLACE)
		output_add_pointed(list, value, 96, MIB(1), 1);
}
