;; Large integers: Fibonacci numbers two ways, factorials, gcds, modular powers, square roots, printing and
;; reading.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define (fibonacci-slow n)
  (let loop ((i 0) (a 0) (b 1)) (if (= i n) a (loop (+ i 1) b (+ a b)))))

;; By doubling: the pair F(n), F(n+1).
(define (fibonacci-pair n)
  (if (= n 0)
      (values 0 1)
      (let-values (((a b) (fibonacci-pair (quotient n 2))))
        (let ((c (* a (- (* 2 b) a))) (d (+ (* a a) (* b b))))
          (if (even? n) (values c d) (values d (+ c d)))))))

(define (fibonacci n) (let-values (((a b) (fibonacci-pair n))) a))

(define (factorial n) (let loop ((i 2) (p 1)) (if (> i n) p (loop (+ i 1) (* p i)))))

;; The product by halves keeps its factors of equal size.
(define (range-product low high)
  (if (= low high)
      low
      (let ((middle (quotient (+ low high) 2)))
        (* (range-product low middle) (range-product (+ middle 1) high)))))

(define (power-modulo base exponent modulus)
  (let loop ((b (modulo base modulus)) (e exponent) (result 1))
    (cond ((= e 0) result)
          ((odd? e) (loop (modulo (* b b) modulus) (quotient e 2) (modulo (* result b) modulus)))
          (else (loop (modulo (* b b) modulus) (quotient e 2) result)))))

(define (fermat-prime? n) (every (lambda (b) (= (power-modulo b (- n 1) n) 1)) '(2 3 5 7 11)))

(define (harmonic n) (let loop ((i 1) (sum 0)) (if (> i n) sum (loop (+ i 1) (+ sum (/ 1 i))))))

(define (round-trip n) (= n (string->number (number->string n))))

(check "bignum"
       (let loop ((i 0) (good #t))
         (if (= i (* 40 scale))
             good
             (loop (+ i 1)
                   (and good
                        (= (fibonacci-slow 20000) (fibonacci 20000))
                        (= (gcd (fibonacci 6000) (fibonacci 4500)) (fibonacci 1500))
                        (= (factorial 3000) (range-product 1 3000))
                        (= (quotient (factorial 2001) (factorial 2000)) 2001)
                        (fermat-prime? (- (expt 2 521) 1))
                        (not (fermat-prime? (- (expt 2 523) 1)))
                        (round-trip (fibonacci 30000))
                        (let-values (((root rest) (exact-integer-sqrt (expt 10 1001))))
                          (= (+ (* root root) rest) (expt 10 1001)))
                        (let ((h (harmonic 1200)))
                          (= (- h (harmonic 1199)) 1/1200)))))))
