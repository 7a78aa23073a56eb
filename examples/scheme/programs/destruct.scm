;; Lists that are cut up and spliced in place, at random: writes of pointers into old objects, with an
;; invariant.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define seed 12345)
(define (random n)
  (set! seed (modulo (+ (* seed 1103515245) 12345) 2147483648))
  (modulo (quotient seed 65536) n))

(define rows 100)
(define columns 60)

;; A row is a list with a head cell that stays.
(define table
  (make-initialized-vector rows
                           (lambda (i) (cons 'head (map (lambda (j) (+ (* i columns) j)) (iota columns))))))

(define (cell row index)
  (let loop ((l row) (i index)) (if (or (= i 0) (null? (cdr l))) l (loop (cdr l) (- i 1)))))

;; Swap the tails of two rows after random cells.
(define (swap-tails! a b)
  (let* ((x (cell a (random columns))) (y (cell b (random columns))) (tail (cdr x)))
    (set-cdr! x (cdr y))
    (set-cdr! y tail)))

(define (swap-values! a b)
  (let ((x (cell a (+ 1 (random columns)))) (y (cell b (+ 1 (random columns)))))
    (if (not (or (eq? x a) (eq? y b)))
        (let ((v (car x)))
          (set-car! x (car y))
          (set-car! y v)))))

;; Replace every cell after the head by a new one.
(define (renew! row)
  (set-cdr! row (map (lambda (x) x) (cdr row))))

(define (step!)
  (let ((a (vector-ref table (random rows))) (b (vector-ref table (random rows))))
    (if (not (eq? a b))
        (begin (swap-tails! a b) (swap-values! a b)))
    (renew! a)))

(do ((i 0 (+ i 1))) ((= i (* scale 250000))) (step!))

(define everything (sort (append-map cdr (vector->list table)) <))
(check "destruct" (equal? everything (iota (* rows columns))))
