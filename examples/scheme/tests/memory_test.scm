;; Programs that make much garbage and hold little: the heap must not grow with them.  (Without a collector its
;; size reads 0 and these tests say nothing.)
(load "harness.scm")

(define limit 50000000)

(define (growth thunk)
  (let ((before (gc-heap-size)))
    (thunk)
    (- (gc-heap-size) before)))

(define-syntax test-growth
  (syntax-rules ()
    ((_ name body ...) (test name #t (< (growth (lambda () body ...)) limit)))))

(define (repeat n thunk)
  (if (> n 0)
      (begin (thunk) (repeat (- n 1) thunk))))

(test-growth "pairs" (repeat 100 (lambda () (iota 100000))))
(test-growth "flonums" (let loop ((i 0) (x 0.0)) (if (< i 5000000) (loop (+ i 1) (+ x 0.5)) x)))
(test-growth "bignums" (repeat 2000 (lambda () (expt 3 20000))))
(test-growth "strings" (repeat 20000 (lambda () (make-string 5000 #\x))))
(test-growth "string ports" (repeat 2000 (lambda () (with-output-to-string (lambda () (write (iota 500)))))))
(test-growth "vectors" (repeat 20000 (lambda () (make-vector 1000 'x))))
(test-growth "tables"
  (repeat 200
          (lambda ()
            (let ((t (make-eqv-hash-table))) (for-each (lambda (i) (hash-table-set! t i i)) (iota 1000))))))
(test-growth "closures"
  (let loop ((i 0) (f (lambda () 0))) (if (< i 1000000) (loop (+ i 1) (lambda () (+ i 1))) (f))))
(test-growth "captures in a loop"
  (let loop ((i 0)) (if (< i 200000) (begin (call/cc (lambda (k) (if (odd? i) (k i)))) (loop (+ i 1))))))
(test-growth "escapes from depth"
  (repeat 200
          (lambda () (call/cc (lambda (k) (let dig ((n 10000)) (if (= n 0) (k 'out) (+ 1 (dig (- n 1))))))))))
(test-growth "coroutines that pass control to and fro"
  (let ((here #f) (n 0))
    (define (transfer) (call/cc (lambda (k) (let ((to here)) (set! here k) (to #f)))))
    (define (partner) (transfer) (set! n (+ n 1)) (partner))
    (call/cc
     (lambda (done)
       (set! here (lambda (ignored) (partner)))
       (let loop () (transfer) (if (< n 100000) (loop) (done n)))))))
(test-growth "a chain of delay-force"
  (let loop ((n 300000)) (force (let chain ((n n)) (if (= n 0) (delay 0) (delay-force (chain (- n 1))))))))
(test-growth "errors caught" (repeat 50000 (lambda () (guard (e (#t #f)) (error "no" (iota 5))))))
(test-growth "an endless stream that nobody holds"
  (let loop ((s (let from ((n 0)) (cons-stream n (from (+ n 1))))))
    (if (< (stream-car s) 300000) (loop (stream-cdr s)))))
