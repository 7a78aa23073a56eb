;; Symbolic derivatives, simplified, of random expressions; checked against numeric ones.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define seed 42)
(define (random n)
  (set! seed (modulo (+ (* seed 1103515245) 12345) 2147483648))
  (modulo (quotient seed 65536) n))

(define (random-expression depth)
  (if (= depth 0)
      (if (= (random 2) 0) 'x (+ 1 (random 5)))
      (let ((a (random-expression (- depth 1))) (b (random-expression (- depth 1))))
        (case (random 4)
          ((0) (list '+ a b))
          ((1) (list '- a b))
          ((2) (list '* a b))
          (else (list 'sin a))))))

(define (derivative e)
  (cond
    ((number? e) 0)
    ((symbol? e) 1)
    (else
     (let ((a (cadr e)))
       (case (car e)
         ((+ -) (list (car e) (derivative a) (derivative (caddr e))))
         ((*) (list '+ (list '* (derivative a) (caddr e)) (list '* a (derivative (caddr e)))))
         ((sin) (list '* (list 'cos a) (derivative a)))
         (else (error "unknown operator" e)))))))

(define (simplify e)
  (if (not (pair? e))
      e
      (let* ((e (cons (car e) (map simplify (cdr e)))) (a (cadr e)) (b (if (pair? (cddr e)) (caddr e) #f)))
        (case (car e)
          ((+) (cond ((eqv? a 0) b) ((eqv? b 0) a) ((and (number? a) (number? b)) (+ a b)) (else e)))
          ((-) (cond ((eqv? b 0) a) ((and (number? a) (number? b)) (- a b)) ((equal? a b) 0) (else e)))
          ((*) (cond ((or (eqv? a 0) (eqv? b 0)) 0) ((eqv? a 1) b) ((eqv? b 1) a) (else e)))
          (else e)))))

(define (evaluate e x)
  (cond
    ((number? e) e)
    ((symbol? e) x)
    (else
     (let ((a (evaluate (cadr e) x)) (b (if (pair? (cddr e)) (evaluate (caddr e) x) 0)))
       (case (car e)
         ((+) (+ a b))
         ((-) (- a b))
         ((*) (* a b))
         ((sin) (sin a))
         (else (cos a)))))))

;; Central difference, against the scale of what it is the difference of.
(define (close? e d x)
  (let* ((h 1e-5)
         (numeric (/ (- (evaluate e (+ x h)) (evaluate e (- x h))) (* 2 h)))
         (symbolic (evaluate d x)))
    (< (abs (- numeric symbolic)) (* 1e-3 (+ 1 (abs symbolic) (abs (evaluate e x)))))))

(check "deriv"
       (let loop ((i 0) (good 0))
         (if (= i (* scale 12000))
             (> good (* 0.99 i))
             (let* ((e (random-expression 6)) (d (simplify (derivative e))))
               (loop (+ i 1) (if (close? e d 0.7) (+ good 1) good))))))
