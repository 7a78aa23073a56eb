// Switching between stacks on aarch64 (AAPCS64).  See fiber_switch.h.
//
// What a call keeps: x19 to x29, the low halves of v8 to v15, and fpcr.  A parked frame, upward:
//
//   x19 to x28, x29, x30 (where to go on), d8 to d15, fpcr, nothing
//
// Entries are marked for branch target identification.  The return address in a parked frame is not signed.
// Guarded control stacks are not switched, and the file does not say that it could.

        .text

        .macro  save_registers
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        .endm

        .globl  gc_fiber_swap
        .hidden gc_fiber_swap
        .type   gc_fiber_swap, %function
        .p2align 4
gc_fiber_swap:
        .cfi_startproc
        hint    #34                     // bti c
        sub     sp, sp, #176
        .cfi_adjust_cfa_offset 176
        save_registers
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        mrs     x9, fpcr
        str     x9, [sp, #160]
        mov     x10, sp
        str     x10, [x0]
        ldr     x11, [x1]
        mov     sp, x11                 // from here on the other fiber runs
        str     xzr, [x1]
        ldr     x12, [sp, #160]
        cmp     x9, x12
        b.eq    1f                      // to set fpcr is slow
        msr     fpcr, x12
1:      ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   gc_fiber_swap, . - gc_fiber_swap

// The first frame goes on in gc_fiber_begin, with `start` in x20 and its argument in x19.
        .globl  gc_fiber_prepare
        .hidden gc_fiber_prepare
        .type   gc_fiber_prepare, %function
        .p2align 4
gc_fiber_prepare:
        .cfi_startproc
        hint    #34
        sub     x0, x0, #192
        stp     x2, x1, [x0, #0]
        stp     xzr, xzr, [x0, #16]
        stp     xzr, xzr, [x0, #32]
        stp     xzr, xzr, [x0, #48]
        stp     xzr, xzr, [x0, #64]
        adr     x3, gc_fiber_begin
        stp     xzr, x3, [x0, #80]
        stp     xzr, xzr, [x0, #96]
        stp     xzr, xzr, [x0, #112]
        stp     xzr, xzr, [x0, #128]
        stp     xzr, xzr, [x0, #144]
        mrs     x4, fpcr
        stp     x4, xzr, [x0, #160]
        stp     xzr, xzr, [x0, #176]
        ret
        .cfi_endproc
        .size   gc_fiber_prepare, . - gc_fiber_prepare

        .type   gc_fiber_begin, %function
        .p2align 4
gc_fiber_begin:
        .cfi_startproc
        .cfi_undefined x30              // nothing called it: unwinding ends here
        hint    #34
        mov     x0, x19
        blr     x20
        brk     #1
        .cfi_endproc
        .size   gc_fiber_begin, . - gc_fiber_begin

        .globl  GC_fiber_note_switch
        .type   GC_fiber_note_switch, %function
        .p2align 4
GC_fiber_note_switch:
        .cfi_startproc
        hint    #34
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        save_registers
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        mov     x1, sp
        mov     x2, #20
        bl      gc_fiber_note
        ldp     x29, x30, [sp, #80]     // it has kept the others
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   GC_fiber_note_switch, . - GC_fiber_note_switch

        .section .note.GNU-stack, "", %progbits

        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5                // sizes of name and contents, NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 1, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: branch target identification
