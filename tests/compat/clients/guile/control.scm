;; Continuations: full ones, which copy the stack, as generators and for backtracking; delimited ones; exceptions
;; through dynamic-wind; streams; fluids.
(use-modules (ice-9 control) (ice-9 exceptions) (srfi srfi-1) (srfi srfi-41))

(define size (string->number (cadr (command-line))))

;; Two trees with the same fringe, walked in turns.

(define (tree lowest highest)
  (if (= lowest highest)
      lowest
      (let ((middle (quotient (+ lowest highest) 2)))
        (cons (tree lowest middle) (tree (+ middle 1) highest)))))

(define (comb lowest highest)
  (if (= lowest highest) lowest (cons lowest (comb (+ lowest 1) highest))))

(define (leaves tree)
  (define return #f)
  (define (walk tree)
    (if (pair? tree)
        (begin (walk (car tree)) (walk (cdr tree)))
        (call/cc (lambda (rest)
                   (set! resume rest)
                   (return tree)))))
  (define (resume ignored)
    (walk tree)
    (return 'end))
  (lambda ()
    (call/cc (lambda (back)
               (set! return back)
               (resume #f)))))

(define (same-fringe? a b)
  (let ((next-a (leaves a)) (next-b (leaves b)))
    (let loop ()
      (let ((x (next-a)) (y (next-b)))
        (and (eqv? x y) (or (eq? x 'end) (loop)))))))

(format #t "same fringe: ~a ~a\n"
        (same-fringe? (tree 1 size) (comb 1 size))
        (same-fringe? (tree 1 size) (comb 2 (+ size 1))))

;; Queens on a board, by going back to earlier choices.

(define failures '())
(define (fail)
  (let ((next (car failures)))
    (set! failures (cdr failures))
    (next 'failed)))

(define (choose choices)
  (if (null? choices)
      (fail)
      (call/cc (lambda (return)
                 (call/cc (lambda (next)
                            (set! failures (cons next failures))
                            (return (car choices))))
                 (return (choose (cdr choices)))))))

(define (attacks? row column queens)
  (let loop ((queens queens) (distance 1))
    (and (pair? queens)
         (or (= (car queens) row)
             (= (abs (- (car queens) row)) distance)
             (loop (cdr queens) (+ distance 1))))))

(define (queens n)
  (let loop ((column 0) (placed '()))
    (if (= column n)
        placed
        (let ((row (choose (iota n))))
          (if (attacks? row column placed)
              (fail)
              (loop (+ column 1) (cons row placed)))))))

(define (all-queens n)
  (let ((count 0))
    (call/cc (lambda (end)
               (set! failures (list end))
               (queens n)
               (set! count (+ count 1))
               (fail)))
    count))

(format #t "queens: ~a ~a\n" (all-queens 5) (all-queens (if (< size 3000) 6 8)))

;; Delimited: a generator by prompts, and effects that are handled outside.

(define tag (make-prompt-tag "yield"))

(define (generated procedure)
  (let ((sum 0))
    (let loop ((thunk procedure))
      (call-with-prompt tag
        (lambda () (thunk))
        (lambda (rest value)
          (set! sum (modulo (+ (* 3 sum) value) 1000003))
          (loop rest))))
    sum))

(format #t "generated: ~a\n"
        (generated (lambda ()
                     (do ((i 0 (+ i 1))) ((= i (* 10 size)))
                       (abort-to-prompt tag i)))))

(define (shifted n)
  (let loop ((i 0) (sum 0))
    (if (= i n)
        sum
        (loop (+ i 1) (+ sum (reset (+ 1 (shift k (k (k i))))))))))

(format #t "shifted: ~a\n" (shifted (* 5 size)))

;; Exceptions from deep inside, with a guard at each level that unwinds.

(define unwound 0)
(define (deep n)
  (dynamic-wind
    (const #f)
    (lambda () (if (zero? n) (error "bottom" 'reached) (+ 1 (deep (- n 1)))))
    (lambda () (set! unwound (+ unwound 1)))))

(let loop ((i 0) (messages '()))
  (if (< i (quotient size 20))
      (loop (+ i 1)
            (cons (with-exception-handler
                   (lambda (exception) (exception-message exception))
                   (lambda () (deep 50))
                   #:unwind? #t)
                  (if (> (length messages) 10) '() messages)))
      (format #t "unwound: ~a, ~a\n" unwound (delete-duplicates messages))))

;; Streams: primes by a sieve of filters.

(define (sieve numbers)
  (stream-let loop ((numbers numbers))
    (let ((prime (stream-car numbers)))
      (stream-cons prime
                   (loop (stream-filter (lambda (n) (not (zero? (modulo n prime)))) (stream-cdr numbers)))))))

(format #t "primes: ~a\n" (last (stream->list (max 1 (quotient size 10)) (sieve (stream-from 2)))))

;; Deep recursion, not in the tail position: a large stack of frames that the collector must scan.

(define (count-deep n)
  (if (zero? n) '() (cons n (count-deep (- n 1)))))

(format #t "deep: ~a\n" (fold + 0 (count-deep (* 100 size))))
