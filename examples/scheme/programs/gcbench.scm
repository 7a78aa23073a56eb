;; Binary trees built top down and bottom up, short-lived ones beside one that stays: the classic mix of
;; lifetimes.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define (make-node left right) (cons left right))

(define (tree-bottom-up depth)
  (if (= depth 0)
      (make-node '() '())
      (make-node (tree-bottom-up (- depth 1)) (tree-bottom-up (- depth 1)))))

(define (populate! depth node)
  (if (> depth 0)
      (begin
        (set-car! node (make-node '() '()))
        (set-cdr! node (make-node '() '()))
        (populate! (- depth 1) (car node))
        (populate! (- depth 1) (cdr node)))))

(define (tree-top-down depth)
  (let ((root (make-node '() '())))
    (populate! depth root)
    root))

(define (tree-size tree)
  (if (null? tree) 0 (+ 1 (tree-size (car tree)) (tree-size (cdr tree)))))

(define (full-size depth) (- (expt 2 (+ depth 1)) 1))

(define (rounds depth) (* scale (quotient (* 5 (full-size 17)) (full-size depth))))

(define (churn depth)
  (let loop ((i 0) (good #t))
    (if (= i (rounds depth))
        good
        (let ((down (tree-top-down depth)) (up (tree-bottom-up depth)))
          (loop (+ i 1)
                (and good (= (tree-size down) (full-size depth)) (= (tree-size up) (full-size depth))))))))

(define long-lived (tree-top-down 17))
(define long-lived-array
  (let ((v (make-vector 200000 0.0)))
    (do ((i 1 (+ i 1))) ((= i 200000) v)
      (vector-set! v i (/ 1.0 i)))))

(define churned
  (let loop ((depth 4) (good #t))
    (if (> depth 16) good (loop (+ depth 4) (and (churn depth) good)))))

(check "gcbench"
       (and churned
            (= (tree-size long-lived) (full-size 17))
            (= (vector-ref long-lived-array 1000) 0.001)))
