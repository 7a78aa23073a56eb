;; The compiler at work on a generated program: macros, closures, pattern matching; then the program's own result.
(use-modules (system base compile) (srfi srfi-1))

(define size (string->number (cadr (command-line))))

(define (procedure-text i)
  `(define (,(symbol-append 'step- (string->symbol (number->string i))) x y)
     (let loop ((n ,(+ 1 (modulo i 5))) (list '()) (sum 0))
       (cond ((zero? n)
              (match (reverse list)
                (() sum)
                ((first . rest) (+ sum first (fold + 0 rest) ,(modulo (* i i) 17)))))
             ((odd? (+ n x))
              (loop (- n 1) (cons (* x y ,(+ 1 (modulo i 3))) list) (modulo (+ sum y) 1009)))
             (else
              (let-values (((quotient remainder) (floor/ (+ x ,i) (+ 1 (abs y)))))
                (loop (- n 1) (cons remainder list) (modulo (+ sum quotient) 1009))))))))

(define (program n)
  `(begin
     (use-modules (ice-9 match) (srfi srfi-1) (srfi srfi-11) (rnrs base))
     (define-syntax swapped
       (syntax-rules () ((_ f a b) (f b a))))
     ,@(map procedure-text (iota n))
     (list ,@(map (lambda (i)
                    `(swapped ,(symbol-append 'step- (string->symbol (number->string i))) ,i ,(modulo (* 7 i) 13)))
                  (iota n)))))

(define results
  (compile (program size) #:env (make-fresh-user-module)))

(format #t "~a procedures: sum ~a\n" (length results) (fold (lambda (x sum) (modulo (+ (* 31 sum) x) 1000003)) 0 results))
