;; All ways to put n queens on a board, as lists of columns.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define (safe? column distance queens)
  (or (null? queens)
      (let ((other (car queens)))
        (and (not (= other column))
             (not (= (abs (- other column)) distance))
             (safe? column (+ distance 1) (cdr queens))))))

(define (solutions n)
  (let place ((row 0))
    (if (= row n)
        '(())
        (append-map
         (lambda (queens)
           (filter (lambda (queens) (safe? (car queens) 1 (cdr queens)))
                   (map (lambda (column) (cons column queens)) (iota n))))
         (place (+ row 1))))))

(check "nqueens"
       (let loop ((i 0) (good #t))
         (if (= i (* 5 scale))
             good
             (loop (+ i 1)
                   (and good
                        (= (length (solutions 8)) 92)
                        (= (length (solutions 9)) 352)
                        (= (length (solutions 10)) 724))))))
