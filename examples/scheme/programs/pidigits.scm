;; The digits of pi from a spigot of ever larger integers.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

;; Gibbons's streaming algorithm over linear fractional transformations.
(define (pi-digits count)
  (let loop ((q 1) (r 0) (t 1) (k 1) (n 3) (l 3) (digits '()))
    (cond
      ((= (length-of digits) count) (reverse (cdr digits)))
      ((< (- (+ (* 4 q) r) t) (* n t))
       (loop (* 10 q)
             (* 10 (- r (* n t)))
             t
             k
             (- (quotient (* 10 (+ (* 3 q) r)) t) (* 10 n))
             l
             (push n digits)))
      (else
       (loop (* q k)
             (* (+ (* 2 q) r) l)
             (* t l)
             (+ k 1)
             (quotient (+ (* q (+ (* 7 k) 2)) (* r l)) (* t l))
             (+ l 2)
             digits)))))

;; A list with its length in front.
(define (length-of digits) (if (null? digits) 0 (car digits)))
(define (push digit digits)
  (if (null? digits) (list 1 digit) (cons (+ 1 (car digits)) (cons digit (cdr digits)))))

(define (digits->string digits) (apply string-append (map number->string digits)))

(define text (digits->string (pi-digits (+ 1 (* scale 4000)))))

(check "pidigits"
       (and (string-prefix? "31415926535897932384626433832795028841971693993751" text)
            (string=? (substring text 991 1001) "2164201989")))
