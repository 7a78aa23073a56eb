;; What Stalin compiles: it finds out by flow analysis what each variable can hold, which is the work.

(define (make-queue) (cons '() '()))
(define (queue-put! queue item)
  (let ((cell (cons item '())))
    (if (null? (car queue))
        (set-car! queue cell)
        (set-cdr! (cdr queue) cell))
    (set-cdr! queue cell)))

(define (fold f start list)
  (if (null? list) start (fold f (f start (car list)) (cdr list))))

(define (filter keep? list)
  (cond ((null? list) '())
        ((keep? (car list)) (cons (car list) (filter keep? (cdr list))))
        (else (filter keep? (cdr list)))))

(define (derivative term)
  (cond ((number? term) 0)
        ((symbol? term) 1)
        ((eq? (car term) 'sum) (list 'sum (derivative (cadr term)) (derivative (caddr term))))
        (else (list 'sum
                    (list 'product (derivative (cadr term)) (caddr term))
                    (list 'product (cadr term) (derivative (caddr term)))))))

(define (size term)
  (if (pair? term) (+ 1 (size (cadr term)) (size (caddr term))) 1))

(define (term n)
  (if (zero? n) 'x (list (if (even? n) 'sum 'product) (term (- n 1)) n)))

(define (sort list less?)
  (if (or (null? list) (null? (cdr list)))
      list
      (let ((pivot (car list)))
        (append (sort (filter (lambda (x) (less? x pivot)) (cdr list)) less?)
                (cons pivot (sort (filter (lambda (x) (not (less? x pivot))) (cdr list)) less?))))))

(define (queens board-size)
  (let try ((row 1) (placed '()))
    (if (> row board-size)
        1
        (let loop ((column 1) (count 0))
          (cond ((> column board-size) count)
                ((let safe? ((others placed) (distance 1))
                   (or (null? others)
                       (and (not (= (car others) column))
                            (not (= (abs (- (car others) column)) distance))
                            (safe? (cdr others) (+ distance 1)))))
                 (loop (+ column 1) (+ count (try (+ row 1) (cons column placed)))))
                (else (loop (+ column 1) count)))))))

(define (compose . functions)
  (lambda (x) (fold (lambda (value function) (function value)) x functions)))

(define queue (make-queue))
(do ((i 0 (+ i 1))) ((= i 10))
  (queue-put! queue (size (derivative (term i)))))
(display (sort (car queue) <)) (newline)
(display (queens 6)) (newline)
(display ((compose (lambda (x) (+ x 1)) (lambda (x) (* x 2)) abs) -7)) (newline)
(display (call-with-current-continuation (lambda (return) (for-each (lambda (x) (if (> x 5) (return x))) '(1 9 2)) 0)))
(newline)
