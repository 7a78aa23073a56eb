;; Enumerates graphs: the connected ones on labelled vertices, and the distinct ones up to renaming by
;; canonical forms.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define (vertex-pairs n)
  (append-map (lambda (i) (map (lambda (j) (cons i j)) (iota (- n i 1) (+ i 1)))) (iota n)))

;; Calls (visit edges) for every subset of the pairs.
(define (for-each-graph pairs visit)
  (let loop ((pairs pairs) (edges '()))
    (if (null? pairs)
        (visit edges)
        (begin
          (loop (cdr pairs) edges)
          (loop (cdr pairs) (cons (car pairs) edges))))))

(define (neighbours edges n)
  (let ((table (make-vector n '())))
    (for-each
     (lambda (edge)
       (let ((a (car edge)) (b (cdr edge)))
         (vector-set! table a (cons b (vector-ref table a)))
         (vector-set! table b (cons a (vector-ref table b)))))
     edges)
    table))

(define (connected? edges n)
  (let ((table (neighbours edges n)) (seen (make-vector n #f)))
    (let visit ((vertex 0))
      (if (not (vector-ref seen vertex))
          (begin
            (vector-set! seen vertex #t)
            (for-each visit (vector-ref table vertex)))))
    (every (lambda (i) (vector-ref seen i)) (iota n))))

(define (count-connected n)
  (let ((total 0))
    (for-each-graph (vertex-pairs n) (lambda (edges) (if (connected? edges n) (set! total (+ total 1)))))
    total))

(define (permutations list)
  (if (null? list)
      '(())
      (append-map (lambda (x) (map (lambda (rest) (cons x rest)) (permutations (delete x list)))) list)))

(define (edge-bit a b n) (if (< a b) (+ (* a n) b) (+ (* b n) a)))

(define (encode edges permutation n)
  (let loop ((edges edges) (code 0))
    (if (null? edges)
        code
        (loop (cdr edges)
              (+ code
                 (arithmetic-shift 1
                                   (edge-bit (vector-ref permutation (caar edges))
                                             (vector-ref permutation (cdar edges))
                                             n)))))))

(define (canonical edges permutations n)
  (let loop ((permutations (cdr permutations)) (best (encode edges (car permutations) n)))
    (if (null? permutations)
        best
        (loop (cdr permutations) (min best (encode edges (car permutations) n))))))

(define (count-distinct n)
  (let ((all (map list->vector (permutations (iota n)))) (seen (make-eqv-hash-table)))
    (for-each-graph (vertex-pairs n) (lambda (edges) (hash-table-set! seen (canonical edges all n) #t)))
    (hash-table-count seen)))

(check "graphs"
       (let loop ((i 0) (good #t))
         (if (= i (* 8 scale))
             good
             (loop (+ i 1)
                   (and good
                        (= (count-connected 4) 38)
                        (= (count-connected 5) 728)
                        (= (count-connected 6) 26704)
                        (= (count-distinct 4) 11)
                        (= (count-distinct 5) 34))))))
