;; Takeuchi's function in which every result is passed by throwing to a captured continuation.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define (ctak x y z) (call/cc (lambda (k) (ctak-with k x y z))))

(define (ctak-with k x y z)
  (if (not (< y x))
      (k z)
      (ctak-with k
                 (call/cc (lambda (k) (ctak-with k (- x 1) y z)))
                 (call/cc (lambda (k) (ctak-with k (- y 1) z x)))
                 (call/cc (lambda (k) (ctak-with k (- z 1) x y))))))

;; Coroutines: two walks of trees of different shape with the same leaves, compared by re-entering
;; continuations.
(define (tree->generator tree)
  (define caller #f)
  (define (resume)
    (let walk ((tree tree))
      (if (pair? tree)
          (begin (walk (car tree)) (walk (cdr tree)))
          (if (not (null? tree))
              (call/cc (lambda (rest)
                         (set! resume (lambda () (rest #f)))
                         (caller tree))))))
    (caller 'end))
  (lambda () (call/cc (lambda (k) (set! caller k) (resume)))))

(define (same-fringe? a b)
  (let ((next-a (tree->generator a)) (next-b (tree->generator b)))
    (let loop ()
      (let ((x (next-a)) (y (next-b)))
        (and (eqv? x y) (or (eq? x 'end) (loop)))))))

(define (balanced low high)
  (if (= (- high low) 1)
      low
      (let ((middle (quotient (+ low high) 2))) (cons (balanced low middle) (balanced middle high)))))

(check "ctak"
       (let loop ((i 0) (good #t))
         (if (= i (* scale 50))
             good
             (loop (+ i 1)
                   (and good
                        (= (ctak 18 12 6) 7)
                        (same-fringe? (balanced 0 20000) (iota 20000))
                        (not (same-fringe? (balanced 0 1000) (iota 1001))))))))
