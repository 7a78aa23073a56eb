;; Lazy streams: primes by sieve, Hamming numbers, power series.  Chains of promises and closures that are
;; forced far away.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define (take stream n)
  (let loop ((stream stream) (n n) (taken '()))
    (if (= n 0) (reverse taken) (loop (stream-cdr stream) (- n 1) (cons (stream-car stream) taken)))))

(define (stream-item stream n) (if (= n 0) (stream-car stream) (stream-item (stream-cdr stream) (- n 1))))

(define (integers n) (cons-stream n (integers (+ n 1))))

(define (stream-filter keep? stream)
  (if (keep? (stream-car stream))
      (cons-stream (stream-car stream) (stream-filter keep? (stream-cdr stream)))
      (stream-filter keep? (stream-cdr stream))))

(define (sieve stream)
  (let ((prime (stream-car stream)))
    (cons-stream prime
                 (sieve (stream-filter (lambda (n) (not (= 0 (modulo n prime)))) (stream-cdr stream))))))

(define (scale-stream stream factor)
  (cons-stream (* factor (stream-car stream)) (scale-stream (stream-cdr stream) factor)))

(define (merge a b)
  (let ((x (stream-car a)) (y (stream-car b)))
    (cond ((< x y) (cons-stream x (merge (stream-cdr a) b)))
          ((> x y) (cons-stream y (merge a (stream-cdr b))))
          (else (cons-stream x (merge (stream-cdr a) (stream-cdr b)))))))

(define (hamming)
  (define numbers
    (cons-stream 1
                 (merge (scale-stream numbers 2) (merge (scale-stream numbers 3) (scale-stream numbers 5)))))
  numbers)

(define (add-series a b)
  (cons-stream (+ (stream-car a) (stream-car b)) (add-series (stream-cdr a) (stream-cdr b))))

(define (multiply-series a b)
  (cons-stream (* (stream-car a) (stream-car b))
               (add-series (scale-stream (stream-cdr b) (stream-car a)) (multiply-series (stream-cdr a) b))))

(define (integrate series start)
  (cons-stream start
               (let loop ((series series) (n 1))
                 (cons-stream (/ (stream-car series) n) (loop (stream-cdr series) (+ n 1))))))

(define sine (cons-stream 0 (stream-cdr (integrate cosine 0))))
(define cosine (cons-stream 1 (stream-cdr (integrate (scale-stream sine -1) 1))))

;; sin^2 + cos^2, whose coefficients must be 1, 0, 0, ...
(define (unity) (add-series (multiply-series sine sine) (multiply-series cosine cosine)))

(check "streams"
       (let loop ((i 0) (good #t))
         (if (= i (* 2 scale))
             good
             (loop (+ i 1)
                   (and good
                        (= (stream-item (sieve (integers 2)) 1500) 12569)
                        (= (stream-item (hamming) 1690) 2125764000)
                        (= (stream-item (hamming) 20000) (last (take (hamming) 20001)))
                        (equal? (take (unity) 40) (cons 1 (make-list 39 0))))))))
