/*
 * What has to be written in assembly on x86-64.
 *
 * All of it lies in our own text, the range in which Syscall User Dispatch lets system calls pass.
 * Every instruction carries exact call frame information: unwinders (thread cancellation, C++
 * exceptions, our own stacks) walk through these frames.
 */
	.text

/*
 * The restorer of our signal handlers. libunwind knows a signal frame by exactly these bytes
 * (48 c7 c0 0f 00 00 00 0f 05) together with frame information; without the latter it stops here.
 * The interrupted registers lie in the ucontext, which is at the stack pointer now. The frame
 * information begins a byte early, with the nop, since unwinders look there for return addresses.
 */
#define SAVED(number, ...)	.cfi_escape 0x10, number, __VA_ARGS__ /* at stack pointer + offset */

	.macro	restorer name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.balign	16
	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape 0x0f, 4, 0x77, 0xa0, 1, 0x06	/* the frame's address: saved rsp, at 160 */
	SAVED(8, 2, 0x77, 0x28)		/* r8, at 40 */
	SAVED(9, 2, 0x77, 0x30)
	SAVED(10, 2, 0x77, 0x38)
	SAVED(11, 3, 0x77, 0xc0, 0)	/* r11, at 64 */
	SAVED(12, 3, 0x77, 0xc8, 0)
	SAVED(13, 3, 0x77, 0xd0, 0)
	SAVED(14, 3, 0x77, 0xd8, 0)
	SAVED(15, 3, 0x77, 0xe0, 0)
	SAVED(5, 3, 0x77, 0xe8, 0)	/* rdi, at 104 */
	SAVED(4, 3, 0x77, 0xf0, 0)	/* rsi */
	SAVED(6, 3, 0x77, 0xf8, 0)	/* rbp */
	SAVED(3, 3, 0x77, 0x80, 1)	/* rbx, at 128 */
	SAVED(1, 3, 0x77, 0x88, 1)	/* rdx */
	SAVED(0, 3, 0x77, 0x90, 1)	/* rax */
	SAVED(2, 3, 0x77, 0x98, 1)	/* rcx */
	SAVED(7, 3, 0x77, 0xa0, 1)	/* rsp, at 160 */
	SAVED(16, 3, 0x77, 0xa8, 1)	/* rip */
	nop
\name:
	mov	$15, %rax
	syscall
	.cfi_endproc
	.size	\name, . - \name
	.endm

	restorer sys_restorer

/*
 * The restorer of the program's handlers: the same, but outside of the text that may make system
 * calls, so that Syscall User Dispatch tells of each return. The linker puts a section that it does
 * not know behind all other code.
 */
	.section net_restorers, "ax", @progbits
	restorer net_restorer
	.text

/*
 * long sys_saving_vectors(void *top, long (*function)(void *), void *argument)
 *
 * Calls function(argument) on the stack whose end is `top`, with x87 and vector state saved there. The area is that of AVX-512 at most; tile
 * registers (bits 17 and 18) stay as they are.
 */
#define VECTORS_SIZE	4096
#define VECTORS_MASK	0x000002ff

	.globl	sys_saving_vectors
	.hidden	sys_saving_vectors
	.type	sys_saving_vectors, @function
	.balign	16
sys_saving_vectors:
	.cfi_startproc
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_offset rbp, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register rbp
	push	%rbx
	.cfi_offset rbx, -24
	sub	$8, %rsp
	lea	-VECTORS_SIZE(%rdi), %rbx
	and	$-64, %rbx
	mov	%rsi, %r8
	mov	%rdx, %r9
	lea	512(%rbx), %rdi		/* the header of the area must be zero */
	xor	%eax, %eax
	mov	$8, %ecx
	rep stosq
	mov	$VECTORS_MASK, %eax
	xor	%edx, %edx
	xsave64	(%rbx)
	mov	%r9, %rdi
	mov	%rsp, %r9
	mov	%rbx, %rsp
	push	%r9
	sub	$8, %rsp
	call	*%r8
	add	$8, %rsp
	pop	%rsp
	mov	%rax, %r8
	mov	$VECTORS_MASK, %eax
	xor	%edx, %edx
	xrstor64 (%rbx)
	mov	%r8, %rax
	add	$8, %rsp
	pop	%rbx
	pop	%rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size	sys_saving_vectors, . - sys_saving_vectors

/*
 * int sys_copy(void *to, const void *from, size_t length)
 *
 * memcpy that returns -EFAULT when either side cannot be accessed: the fault handler sees the
 * faulting instruction between sys_copy and sys_copy_end and continues at sys_copy_fault.
 */
	.globl	sys_copy, sys_copy_end, sys_copy_fault
	.hidden	sys_copy, sys_copy_end, sys_copy_fault
	.type	sys_copy, @function
	.balign	16
sys_copy:
	.cfi_startproc
	mov	%rdx, %rcx
	rep movsb
sys_copy_end:
	xor	%eax, %eax
	ret
sys_copy_fault:
	mov	$-14, %eax
	ret
	.cfi_endproc
	.size	sys_copy, . - sys_copy

/*
 * net_thunk: where a dispatched system call goes on.
 *
 * The SIGSYS handler has left all registers as they were at the `syscall` instruction, but rcx
 * (return address) and r11 (flags), which a system call clobbers in just this way. net_call gets
 * the frame built here:
 *
 *	0 rdi, 8 rsi, 16 rdx, 24 r10, 32 r8, 40 r9, 48 rax (number, then result), 56 r11, 64 rcx,
 *	72 child stack, 80 slot, 88 rbp
 *
 * It returns 0 when the result is in the frame, 1 when the call makes a task with a stack of its
 * own, 2 when it makes a task on this very stack.
 */
#define F_ARGS	0
#define F_RAX	48
#define F_R11	56
#define F_RCX	64
#define F_CHILD	72
#define F_SLOT	80
#define F_RBP	88
#define F_SIZE	96

/* Slot of a task on the parent's stack, see struct net_slot. */
#define S_RETURN	0
#define S_FLAGS		8
#define S_R12		16
#define S_BUSY		24

	.macro	LOAD_ARGUMENTS base=%rsp
	mov	F_ARGS+0(\base), %rdi
	mov	F_ARGS+8(\base), %rsi
	mov	F_ARGS+16(\base), %rdx
	mov	F_ARGS+24(\base), %r10
	mov	F_ARGS+32(\base), %r8
	mov	F_ARGS+40(\base), %r9
	.endm

	.globl	net_thunk
	.hidden	net_thunk
	.type	net_thunk, @function
	.balign	16
	.cfi_startproc
	.cfi_def_cfa rsp, 0
	.cfi_register 16, 2
	nop
net_thunk:
	lea	-128-F_SIZE(%rsp), %rsp
	.cfi_adjust_cfa_offset 128+F_SIZE
	mov	%rcx, F_RCX(%rsp)
	.cfi_offset 16, F_RCX-128-F_SIZE
	mov	%r11, F_R11(%rsp)
	mov	%rdi, F_ARGS+0(%rsp)
	mov	%rsi, F_ARGS+8(%rsp)
	mov	%rdx, F_ARGS+16(%rsp)
	mov	%r10, F_ARGS+24(%rsp)
	mov	%r8, F_ARGS+32(%rsp)
	mov	%r9, F_ARGS+40(%rsp)
	mov	%rax, F_RAX(%rsp)
	mov	%rbp, F_RBP(%rsp)
	.cfi_offset rbp, F_RBP-128-F_SIZE
	mov	%rsp, %rbp
	.cfi_def_cfa_register rbp
	mov	%rsp, %rdi
	and	$-16, %rsp
	cld
	call	net_call
	mov	%rbp, %rsp
	.cfi_def_cfa_register rsp
	cmp	$1, %eax
	je	.Lown_stack
	cmp	$2, %eax
	je	.Lsame_stack
.Lreturn:
	LOAD_ARGUMENTS
	mov	F_RBP(%rsp), %rbp
	.cfi_remember_state
	.cfi_same_value rbp
	pushq	F_R11(%rsp)
	.cfi_adjust_cfa_offset 8
	popfq
	.cfi_adjust_cfa_offset -8
	mov	F_RAX(%rsp), %rax
	mov	F_R11(%rsp), %r11
	mov	F_RCX(%rsp), %rcx
	.cfi_register 16, 2
	lea	128+F_SIZE(%rsp), %rsp
	.cfi_adjust_cfa_offset -128-F_SIZE
	jmp	*%rcx
	.cfi_restore_state

/*
 * A task with its own stack: the return address waits for it in the red zone of that stack, where
 * signals do not reach. The parent keeps its frame.
 */
.Lown_stack:
	.cfi_remember_state
	mov	F_CHILD(%rsp), %rax
	mov	F_RCX(%rsp), %rcx
	mov	%rcx, -8(%rax)
	mov	F_SLOT(%rsp), %rcx	/* clone flags */
	mov	%rcx, -16(%rax)
	LOAD_ARGUMENTS
	mov	F_RBP(%rsp), %rbp
	mov	F_RAX(%rsp), %rax
	syscall
	test	%rax, %rax
	je	.Lchild_own_stack
	mov	%rax, F_RAX(%rsp)
	mov	%rsp, %rbp
	.cfi_def_cfa_register rbp
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	net_parent
	mov	%rbp, %rsp
	.cfi_def_cfa_register rsp
	jmp	.Lreturn
.Lchild_own_stack:
	.cfi_def_cfa rsp, 0
	.cfi_undefined 16
	lea	-128-F_SIZE(%rsp), %rsp
	mov	%rdi, F_ARGS+0(%rsp)
	mov	%rsi, F_ARGS+8(%rsp)
	mov	%rdx, F_ARGS+16(%rsp)
	mov	%r10, F_ARGS+24(%rsp)
	mov	%r8, F_ARGS+32(%rsp)
	mov	%r9, F_ARGS+40(%rsp)
	mov	%rbp, F_RBP(%rsp)
	mov	%rsp, %rbp
	mov	128+F_SIZE-16(%rsp), %rdi
	and	$-16, %rsp
	call	net_child
	mov	%rbp, %rsp
	LOAD_ARGUMENTS
	mov	F_RBP(%rsp), %rbp
	lea	128+F_SIZE(%rsp), %rsp
	mov	-8(%rsp), %rcx
	xor	%eax, %eax
	jmp	*%rcx
	.cfi_restore_state

/*
 * A task on this stack (vfork): it returns first and writes over everything below the caller's
 * frame. What the parent needs afterwards waits in a slot, whose address is in r12 meanwhile.
 */
.Lsame_stack:
	.cfi_remember_state
	LOAD_ARGUMENTS
	mov	F_SLOT(%rsp), %rax
	mov	%r12, S_R12(%rax)
	mov	F_RCX(%rsp), %rcx
	mov	%rcx, S_RETURN(%rax)
	mov	F_R11(%rsp), %rcx
	mov	%rcx, S_FLAGS(%rax)
	mov	%rax, %r12
	mov	F_RAX(%rsp), %rax
	mov	F_RBP(%rsp), %rbp
	lea	128+F_SIZE(%rsp), %rsp
	.cfi_def_cfa rsp, 0
	.cfi_undefined 16
	syscall
	test	%rax, %rax
	jne	1f
	lea	-128-F_SIZE(%rsp), %rsp
	mov	%rdi, F_ARGS+0(%rsp)
	mov	%rsi, F_ARGS+8(%rsp)
	mov	%rdx, F_ARGS+16(%rsp)
	mov	%r10, F_ARGS+24(%rsp)
	mov	%r8, F_ARGS+32(%rsp)
	mov	%r9, F_ARGS+40(%rsp)
	mov	%rbp, F_RBP(%rsp)
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	net_child_same_stack
	mov	%rbp, %rsp
	LOAD_ARGUMENTS
	mov	F_RBP(%rsp), %rbp
	lea	128+F_SIZE(%rsp), %rsp
	xor	%eax, %eax
	mov	S_RETURN(%r12), %rcx
	mov	S_FLAGS(%r12), %r11
	mov	S_R12(%r12), %r12
	jmp	*%rcx
1:	lea	-128-F_SIZE(%rsp), %rsp
	mov	%rdi, F_ARGS+0(%rsp)
	mov	%rsi, F_ARGS+8(%rsp)
	mov	%rdx, F_ARGS+16(%rsp)
	mov	%r10, F_ARGS+24(%rsp)
	mov	%r8, F_ARGS+32(%rsp)
	mov	%r9, F_ARGS+40(%rsp)
	mov	%rax, F_RAX(%rsp)
	mov	%rbp, F_RBP(%rsp)
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	net_parent_same_stack
	mov	%rbp, %rsp
	LOAD_ARGUMENTS
	mov	F_RBP(%rsp), %rbp
	mov	F_RAX(%rsp), %rax
	lea	128+F_SIZE(%rsp), %rsp
	mov	S_RETURN(%r12), %rcx
	mov	S_FLAGS(%r12), %r11
	movl	$0, S_BUSY(%r12)
	mov	S_R12(%r12), %r12
	jmp	*%rcx
	.cfi_restore_state
	.cfi_endproc
	.size	net_thunk, . - net_thunk

/*
 * pid_t vfork(void): libc's, after wrap_vfork_prepare. It returns twice to our caller, so nothing
 * of ours may lie on the stack then.
 */
	.globl	vfork
	.type	vfork, @function
	.balign	16
vfork:
	.cfi_startproc
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	wrap_vfork_prepare
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp	*%rax
	.cfi_endproc
	.size	vfork, . - vfork

/*
 * net_int80: a dispatched call of the 32-bit interface, which changes no register but eax. The
 * SIGSYS handler has put the return address below the red zone.
 */
	.globl	net_int80
	.hidden	net_int80
	.type	net_int80, @function
	.balign	16
	.cfi_startproc
	.cfi_def_cfa rsp, 136
	.cfi_offset 16, -136
	nop
net_int80:
	int	$0x80
	ret	$128
	.cfi_endproc
	.size	net_int80, . - net_int80

/*
 * net_sigreturn: a dispatched rt_sigreturn. The frame lies at the stack pointer, so nothing may be
 * pushed.
 */
	.globl	net_sigreturn
	.hidden	net_sigreturn
	.type	net_sigreturn, @function
net_sigreturn:
	mov	$15, %eax
	syscall
	hlt
	.size	net_sigreturn, . - net_sigreturn

	.section .note.GNU-stack, "", @progbits
