;; Large integers and fractions: digits of pi, factorials, Fibonacci numbers, harmonic sums; and floats, each of which
;; is an object.
(use-modules (srfi srfi-1) (ice-9 format))

(define size (string->number (cadr (command-line))))

(define (digits-of-pi n)
  (let loop ((q 1) (r 0) (t 1) (k 1) (m 3) (x 3) (left n) (digits '()))
    (cond ((zero? left) (reverse digits))
          ((< (+ (* 4 q) (- r t)) (* m t))
           (loop (* 10 q) (* 10 (- r (* m t))) t k
                 (- (quotient (* 10 (+ (* 3 q) r)) t) (* 10 m)) x (- left 1) (cons m digits)))
          (else
           (loop (* q k) (* (+ (* 2 q) r) x) (* t x) (+ k 1)
                 (quotient (+ (* q (+ (* 7 k) 2)) (* r x)) (* t x)) (+ x 2) left digits)))))

(define (last-digits n digits)
  (list-tail digits (max 0 (- (length digits) n))))

(format #t "pi: ~{~a~}\n" (last-digits 20 (digits-of-pi size)))

(define (product from to)
  (if (= from to)
      from
      (let ((middle (quotient (+ from to) 2)))
        (* (product from middle) (product (+ middle 1) to)))))

(define (digit-sum n)
  (string-fold (lambda (digit sum) (+ sum (- (char->integer digit) 48))) 0 (number->string n)))

(format #t "digits of ~a!: sum ~a\n" (* 4 size) (digit-sum (product 1 (* 4 size))))

(define (fibonacci n)
  (let loop ((a 0) (b 1) (n n))
    (if (zero? n) a (loop b (+ a b) (- n 1)))))

(format #t "fibonacci ~a: sum ~a\n" (* 20 size) (digit-sum (fibonacci (* 20 size))))

(define (harmonic n)
  (let loop ((i 1) (sum 0))
    (if (> i n) sum (loop (+ i 1) (+ sum (/ 1 i))))))

(let ((sum (harmonic size)))
  (format #t "harmonic ~a: ~a and ~a\n" size (modulo (numerator sum) 1000000007) (modulo (denominator sum) 1000000007)))

(define (logistic x n)
  (if (zero? n) x (logistic (* 3.5699456 x (- 1.0 x)) (- n 1))))

(format #t "logistic: ~a\n" (logistic 0.4 (* 1000 size)))

(define (waves n)
  (let ((samples (make-vector n 0.0)))
    (do ((i 0 (+ i 1))) ((= i n))
      (vector-set! samples i (* (sin (* i 0.01)) (cos (* i 0.003)))))
    samples))

(let loop ((i 0) (sum 0.0))
  (if (< i 20)
      (loop (+ i 1) (+ sum (apply + (vector->list (waves (* 10 size))))))
      (format #t "waves: ~a\n" (/ (round (* 1e6 sum)) 1e6))))
