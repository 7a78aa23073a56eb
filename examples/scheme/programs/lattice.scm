;; Counts the monotone maps between Boolean lattices, enumerating them one by one.  Maps into a power of the
;; two-element lattice are tuples of maps into it, so the counts are powers of Dedekind's numbers.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

;; An element of the lattice of rank n is a list of n booleans as 0 and 1.
(define (elements n)
  (if (= n 0)
      '(())
      (let ((smaller (elements (- n 1))))
        (append (map (lambda (x) (cons 0 x)) smaller) (map (lambda (x) (cons 1 x)) smaller)))))

(define (below? a b)
  (or (null? a) (and (<= (car a) (car b)) (below? (cdr a) (cdr b)))))

;; Extend a partial map, an alist, by all images of the next element that keep it monotone.
(define (count-maps sources targets)
  (let extend ((sources sources) (partial '()))
    (if (null? sources)
        1
        (let ((x (car sources)))
          (let try ((images targets) (total 0))
            (if (null? images)
                total
                (let ((y (car images)))
                  (try (cdr images)
                       (if (every (lambda (entry)
                                    (and (or (not (below? (car entry) x)) (below? (cdr entry) y))
                                         (or (not (below? x (car entry))) (below? y (cdr entry)))))
                                  partial)
                           (+ total (extend (cdr sources) (cons (cons x y) partial)))
                           total)))))))))

(define (maps n m) (count-maps (elements n) (elements m)))

(check "lattice"
       (let loop ((i 0) (good #t))
         (if (= i (* 3 scale))
             good
             (loop (+ i 1)
                   (and good
                        (= (maps 2 1) 6)
                        (= (maps 3 1) 20)
                        (= (maps 4 1) 168)
                        (= (maps 5 1) 7581)
                        (= (maps 2 3) (expt 6 3))
                        (= (maps 3 2) (expt 20 2))
                        (= (maps 3 3) (expt 20 3)))))))
