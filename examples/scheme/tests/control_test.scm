(load "harness.scm")
(test "tail calls" 'done (let loop ((n 1000000)) (if (= n 0) 'done (loop (- n 1)))))
(define (my-even? n) (if (= n 0) #t (my-odd? (- n 1))))
(define (my-odd? n) (if (= n 0) #f (my-even? (- n 1))))
(test "mutual tail calls" #t (my-even? 300000))
(test "tail call in cond, and, or, when, case" 'end
  (let loop ((n 100000))
    (cond ((= n 0) 'end)
          ((= (modulo n 5) 0) (and #t (loop (- n 1))))
          ((= (modulo n 5) 1) (or #f (loop (- n 1))))
          ((= (modulo n 5) 2) (when #t (loop (- n 1))))
          (else (case n ((-1) 0) (else (loop (- n 1))))))))
(test "tail call through apply"
  'done
  (let () (define (f n) (if (= n 0) 'done (apply f (list (- n 1))))) (f 100000)))
(define (count-up n) (if (= n 0) 0 (+ 1 (count-up (- n 1)))))
(test "deep recursion" 1000000 (count-up 1000000))
(test "deep recursion again" 500000 (count-up 500000))
(test "deep map" 300000 (length (map (lambda (x) x) (iota 300000))))
(test "frames of many sizes across regions"
  5049
  (let ()
    (define (f n a b c d e g h) (if (= n 0) 0 (+ a (f (- n 1) (- n 1) a b c d e g))))
    (let loop ((i 0) (r 0)) (if (< i 50) (loop (+ i 1) (f 100 99 0 0 0 0 0 0)) r))))
(test "apply with many arguments" 500000500000 (apply + (iota 1000000 1)))
(test "apply with a prefix" '(1 2 3 4) (apply list 1 2 '(3 4)))
;; continuations
(test "escape" 3 (+ 1 (call/cc (lambda (k) (* 10 (k 2))))))
(test "escape from for-each"
  -3
  (call/cc (lambda (return) (for-each (lambda (x) (if (< x 0) (return x))) '(1 2 -3 4)) 'none)))
(test "re-entry" '(1 2 3)
  (let ((k #f) (n 0) (seen '()))
    (set! seen (cons (call/cc (lambda (c) (set! k c) 1)) seen))
    (set! n (+ n 1))
    (if (< n 3) (k (+ n 1)))
    (reverse seen)))
(test "re-entry into map does not disturb what it returned" '((1 2 3) (1 20 3))
  (let ((k #f) (results '()))
    (let ((l (map (lambda (x) (if (= x 2) (call/cc (lambda (c) (if (not k) (set! k c)) x)) x)) '(1 2 3))))
      (set! results (cons l results))
      (if (null? (cdr results)) (k 20))
      (reverse results))))
(test "generators by re-entry"
  '(1 2 3 4 5 6)
  (let ()
    (define (tree-walk tree yield)
      (cond ((null? tree) 'done)
            ((pair? tree) (tree-walk (car tree) yield) (tree-walk (cdr tree) yield))
            (else (yield tree))))
    (define (make-generator tree)
      (define return #f)
      (define (resume)
        (tree-walk tree (lambda (x) (call/cc (lambda (next) (set! resume (lambda () (next #f))) (return x)))))
        (return 'end))
      (lambda () (call/cc (lambda (r) (set! return r) (resume)))))
    (let ((g (make-generator '((1 2) (3 (4 5)) 6))))
      (let loop ((x (g)) (l '())) (if (eq? x 'end) (reverse l) (loop (g) (cons x l)))))))
(test "deep continuation captured and re-entered" '(200000 200007)
  (let ((k #f) (out '()))
    (define (dig n) (if (= n 0) (call/cc (lambda (c) (set! k c) 0)) (+ 1 (dig (- n 1)))))
    (set! out (cons (dig 200000) out))
    (if (= (length out) 1) (k 7))
    (reverse out)))
(test "many captures in a loop"
  100000
  (let loop ((i 0)) (if (< i 100000) (loop (+ i (call/cc (lambda (k) (k 1))))) i)))
(test "a million escapes at depth"
  'ok
  (let ()
    (define (f n)
      (if (= n 0)
          (let loop ((i 0)) (if (< i 100000) (begin (call/cc (lambda (k) (k i))) (loop (+ i 1))) 0))
          (+ 1 (f (- n 1)))))
    (f 1000)
    'ok))
(test "continuation with several values"
  '(1 2)
  (call-with-values (lambda () (call/cc (lambda (k) (k 1 2)))) list))
;; dynamic-wind
(test "dynamic-wind order"
  '(in body out)
  (let ((l '()))
    (dynamic-wind
      (lambda () (set! l (cons 'in l)))
      (lambda () (set! l (cons 'body l)))
      (lambda () (set! l (cons 'out l))))
    (reverse l)))
(test "dynamic-wind and escape"
  '(in out)
  (let ((l '()))
    (call/cc
      (lambda (k)
        (dynamic-wind
          (lambda () (set! l (cons 'in l)))
          (lambda () (k 1))
          (lambda () (set! l (cons 'out l))))))
    (reverse l)))
(test "dynamic-wind and re-entry" '(connect talk1 disconnect connect talk2 disconnect)
  (let ((path '()) (c #f))
    (let ((add (lambda (s) (set! path (cons s path)))))
      (dynamic-wind (lambda () (add 'connect))
                    (lambda () (add (call/cc (lambda (c0) (set! c c0) 'talk1))))
                    (lambda () (add 'disconnect)))
      (if (< (length path) 4) (c 'talk2) (reverse path)))))
;; values
(test "call-with-values" '(1 2 3) (call-with-values (lambda () (values 1 2 3)) list))
(test "no values" '() (call-with-values values list))
(test "let-values" '(1 2 (3 4)) (let-values (((a b) (values 1 2)) (c (values 3 4))) (list a b c)))
(test "let*-values" '(1 3) (let*-values (((a b) (values 1 2)) ((c) (values (+ a b)))) (list a c)))
(define-values (dv-a dv-b . dv-c) (values 1 2 3 4))
(test "define-values" '(1 2 (3 4)) (list dv-a dv-b dv-c))
(test "define-values inside" 3 (let () (define-values (x y) (values 1 2)) (+ x y)))
(test "receive" '(1 (2 3)) (receive (a . rest) (values 1 2 3) (list a rest)))
;; exceptions
(test "guard with a symbol" 'caught (guard (e ((symbol? e) e)) (raise 'caught)))
(test "guard clauses with =>" 42 (guard (e ((assq 'a e) => cdr) ((assq 'b e))) (raise (list (cons 'a 42)))))
(test "guard re-raises" 'outer (guard (e (#t 'outer)) (guard (e ((string? e) 'inner)) (raise 'x))))
(test "guard else" 'else (guard (e ((string? e) 'no) (else 'else)) (raise 1)))
(test "guard returns the body's value" 5 (guard (e (#t 0)) 5))
(test "guard unwinds"
  '(in out caught)
  (let ((l '()))
    (guard (e (#t (set! l (cons 'caught l))))
      (dynamic-wind
        (lambda () (set! l (cons 'in l)))
        (lambda () (raise 'x))
        (lambda () (set! l (cons 'out l)))))
    (reverse l)))
(test "error object"
  '("bad thing:" (1 two))
  (guard (e ((error-object? e) (list (error-object-message e) (error-object-irritants e))))
    (error "bad thing:" 1 'two)))
(test "raise-continuable"
  15
  (with-exception-handler (lambda (e) (* e 2)) (lambda () (+ 5 (raise-continuable 5)))))
(test "nested handlers"
  '(inner outer)
  (let ((l '()))
    (guard (e (#t #t))
      (with-exception-handler
        (lambda (e) (set! l (cons 'outer l)) 0)
        (lambda ()
          (with-exception-handler
            (lambda (e) (set! l (cons 'inner l)) (raise-continuable e))
            (lambda () (raise-continuable 'x))))))
    (reverse l)))
(test "returning from a handler of raise is an error"
  'secondary
  (guard (e (#t 'secondary)) (with-exception-handler (lambda (e) 0) (lambda () (raise 'x)))))
(test "handler runs in the context of raise"
  '(1)
  (let ((p (make-parameter 0)) (l '()))
    (guard (e (#t l))
      (with-exception-handler
        (lambda (e) (set! l (cons (p) l)) 0)
        (lambda () (parameterize ((p 1)) (raise 'x)))))))
(test "primitive errors can be caught"
  "car: expected a pair, got 5"
  (guard (e (#t (condition/report-string e))) (car 5)))
(test "errors in many iterations"
  20000
  (let loop ((i 0)) (if (< i 20000) (begin (guard (e (#t #f)) (vector-ref #(1 2) 9)) (loop (+ i 1))) i)))
(test "file errors" #t (guard (e ((file-error? e) #t)) (open-input-file "/no/such/file")))
(test "read errors" #t (guard (e ((read-error? e) #t)) (read (open-input-string "(1 2"))))
(test "stack overflow can be caught"
  #t
  (guard (e ((error-object? e) #t)) (let loop ((n 0)) (+ 1 (loop (+ n 1))))))
(test-error "wrong arity" ((lambda (x) x)))
(test-error "calling a number" (5 5))
(test-error "undefined variable" undefined-variable-here)
(test-error "letrec too early" (letrec ((a b) (b 1)) a))
;; promises and parameters
(test "delay is lazy and cached"
  '(1 1 1)
  (let* ((n 0) (p (delay (begin (set! n (+ n 1)) n)))) (list (force p) (force p) n)))
(test "delay-force in constant space"
  0
  (let () (define (loop n) (if (= n 0) (delay 0) (delay-force (loop (- n 1))))) (force (loop 100000))))
(test "make-promise" '(5 6) (list (force (make-promise 5)) (force 6)))
(test "streams"
  '(0 1 2 3 4)
  (let () (define (from n) (cons-stream n (from (+ n 1)))) (stream-head (from 0) 5)))
(test "parameterize" '(1 2 1) (let ((p (make-parameter 1))) (list (p) (parameterize ((p 2)) (p)) (p))))
(test "parameterize with converter"
  '(10 20)
  (let ((p (make-parameter 5 (lambda (x) (* 2 x))))) (list (p) (parameterize ((p 10)) (p)))))
(test "parameterize and escape"
  1
  (let ((p (make-parameter 1))) (call/cc (lambda (k) (parameterize ((p 2)) (k 0)))) (p)))
(test "fluid-let" '(2 1) (let ((x 1)) (let ((in (fluid-let ((x 2)) x))) (list in x))))
(test "eval" 7 (eval '(+ 3 4) (interaction-environment)))
