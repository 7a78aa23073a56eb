// Switching between stacks on x86-64 (System V).  See fiber_switch.h.
//
// What a call keeps: rbx, rbp, r12 to r15 and the control bits of SSE and x87.  A parked frame, upward:
//
//   control words, r15, r14, r13, r12, rbx, rbp, where to go on
//
// The end is a jump because the processor would foretell a return to where the other fiber's stack returns to:
// that took 12 ns for a switch, this takes 5 (bench/fibers).
//
// Entries are marked for indirect branch tracking.  Shadow stacks are not switched, and the file does not say
// that it could: the loader then leaves them off.

        .text

        .globl  gc_fiber_swap
        .hidden gc_fiber_swap
        .type   gc_fiber_swap, @function
        .p2align 4
gc_fiber_swap:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp            // from here on the other fiber runs
        movq    $0, (%rsi)
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        notrack jmp *%rcx
        .cfi_endproc
        .size   gc_fiber_swap, . - gc_fiber_swap

// The first frame goes on in gc_fiber_begin, with `start` in r12 and its argument in rbx.  At the call there
// the stack pointer is a multiple of 16.
        .globl  gc_fiber_prepare
        .hidden gc_fiber_prepare
        .type   gc_fiber_prepare, @function
        .p2align 4
gc_fiber_prepare:
        .cfi_startproc
        endbr64
        leaq    -80(%rdi), %rax
        stmxcsr (%rax)
        fnstcw  4(%rax)
        movq    $0, 8(%rax)
        movq    $0, 16(%rax)
        movq    $0, 24(%rax)
        movq    %rsi, 32(%rax)
        movq    %rdx, 40(%rax)
        movq    $0, 48(%rax)
        leaq    gc_fiber_begin(%rip), %rcx
        movq    %rcx, 56(%rax)
        movq    $0, 64(%rax)
        movq    $0, 72(%rax)
        ret
        .cfi_endproc
        .size   gc_fiber_prepare, . - gc_fiber_prepare

        .type   gc_fiber_begin, @function
        .p2align 4
gc_fiber_begin:
        .cfi_startproc
        .cfi_undefined %rip             // nothing called it: unwinding ends here
        endbr64
        movq    %rbx, %rdi
        callq   *%r12
        ud2
        .cfi_endproc
        .size   gc_fiber_begin, . - gc_fiber_begin

        .globl  GC_fiber_note_switch
        .type   GC_fiber_note_switch, @function
        .p2align 4
GC_fiber_note_switch:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        movq    %rsp, %rsi
        movl    $6, %edx
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        callq   gc_fiber_note
        addq    $56, %rsp               // it has kept the registers
        .cfi_adjust_cfa_offset -56
        ret
        .cfi_endproc
        .size   GC_fiber_note_switch, . - GC_fiber_note_switch

        .section .note.GNU-stack, "", @progbits

        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4, 16, 5                // sizes of name and contents, NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0     // GNU_PROPERTY_X86_FEATURE_1_AND: indirect branch tracking
