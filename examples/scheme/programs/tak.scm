;; Takeuchi's function: nothing but calls and small integers.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define (tak x y z)
  (if (not (< y x))
      z
      (tak (tak (- x 1) y z) (tak (- y 1) z x) (tak (- z 1) x y))))

;; The same on lists, whose lengths are the numbers.
(define (shorter? a b) (and (pair? b) (or (null? a) (shorter? (cdr a) (cdr b)))))

(define (list-tak x y z)
  (if (not (shorter? y x))
      z
      (list-tak (list-tak (cdr x) y z) (list-tak (cdr y) z x) (list-tak (cdr z) x y))))

(check "tak"
       (let loop ((i 0) (good #t))
         (if (= i (* scale 50))
             good
             (loop (+ i 1)
                   (and good (= (tak 22 16 8) 9) (= (length (list-tak (iota 18) (iota 12) (iota 6))) 7))))))
