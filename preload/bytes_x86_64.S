/*
 * memcpy and its like without vector registers.
 *
 * Our code runs in place of `syscall` instructions (interpose/net.h), across which a program may
 * keep values in vector registers. The compiler uses none of them for us; libc's versions of these
 * functions do. Hidden, so that only our own calls find them.
 */
	.text

	.macro	FUNCTION name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.balign	16
\name:
	.cfi_startproc
	.endm

	.macro	FUNCTION_END name
	.cfi_endproc
	.size	\name, . - \name
	.endm

FUNCTION memcpy
	mov	%rdi, %rax
	mov	%rdx, %rcx
	rep movsb
	ret
FUNCTION_END memcpy

FUNCTION memmove
	mov	%rdi, %rax
	mov	%rdx, %rcx
	mov	%rdi, %r8
	sub	%rsi, %r8
	cmp	%rdx, %r8		/* unsigned: below only when the target begins inside the source */
	jb	1f
	rep movsb
	ret
1:	lea	-1(%rdi,%rdx), %rdi
	lea	-1(%rsi,%rdx), %rsi
	std
	rep movsb
	cld
	ret
FUNCTION_END memmove

FUNCTION memset
	mov	%rdi, %r8
	mov	%esi, %eax
	mov	%rdx, %rcx
	rep stosb
	mov	%r8, %rax
	ret
FUNCTION_END memset

FUNCTION memcmp
	mov	%rdx, %rcx
	xor	%eax, %eax
	cmp	%rax, %rcx		/* equal when there is nothing to compare */
	repe cmpsb
	je	1f
	movzbl	-1(%rdi), %eax
	movzbl	-1(%rsi), %ecx
	sub	%ecx, %eax
1:	ret
FUNCTION_END memcmp

/* What clang makes of a memcmp that only asks for equality. */
FUNCTION bcmp
	jmp	memcmp
FUNCTION_END bcmp

FUNCTION strlen
	mov	$-1, %rcx
	xor	%eax, %eax
	repne scasb
	mov	$-2, %rax
	sub	%rcx, %rax
	ret
FUNCTION_END strlen

	.section .note.GNU-stack, "", @progbits
