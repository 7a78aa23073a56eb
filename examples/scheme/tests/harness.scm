;; (test NAME EXPECTED EXPRESSION ...) compares each value with equal? and prints one TAP line without a
;; number; run.sh numbers them.  An exception is a failure, and (test-error NAME EXPRESSION) expects one.
(define (report name good detail)
  (display (if good "ok " "not ok "))
  (display name)
  (if (not good)
      (begin (display " # ") (write detail)))
  (newline))

(define (run-test name expected thunk)
  (guard (e (#t (report name #f (if (error-object? e) (condition/report-string e) e))))
    (let ((got (thunk)))
      (report name (equal? got expected) (list 'expected expected 'got got)))))

(define-syntax test
  (syntax-rules ()
    ((_ name expected body ...) (run-test name expected (lambda () body ...)))))

(define-syntax test-error
  (syntax-rules ()
    ((_ name body ...)
     (report name (guard (e (#t #t)) body ... #f) 'no-error))))
