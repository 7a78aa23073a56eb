;; An on-line partial evaluator for a first-order language, applied to an interpreter: specialised to a
;; program, the interpreter's overhead must be gone, and the result must compute the same.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

;; A program is an alist from function names to (parameters body).  Expressions: constants quoted or numeric,
;; variables, (if c a b), (primitive e ...), (function e ...).
(define primitives
  (list (cons '+ +)
        (cons '- -)
        (cons '* *)
        (cons '= =)
        (cons '< <)
        (cons 'car car)
        (cons 'cdr cdr)
        (cons 'cons cons)
        (cons 'null? null?)
        (cons 'eq? eq?)))

(define (constant? e) (or (number? e) (boolean? e) (and (pair? e) (eq? (car e) 'quote))))
(define (constant-value e) (if (pair? e) (cadr e) e))
(define (make-constant v) (if (or (number? v) (boolean? v)) v (list 'quote v)))

(define (evaluate program e environment)
  (cond ((constant? e) (constant-value e))
        ((symbol? e) (cdr (assq e environment)))
        ((eq? (car e) 'if)
         (if (evaluate program (cadr e) environment)
             (evaluate program (caddr e) environment)
             (evaluate program (cadddr e) environment)))
        (else (let ((arguments (map (lambda (a) (evaluate program a environment)) (cdr e)))
                    (primitive (assq (car e) primitives)))
                (if primitive
                    (apply (cdr primitive) arguments)
                    (let ((function (cdr (assq (car e) program))))
                      (evaluate program (cadr function) (map cons (car function) arguments))))))))

;; Specialised versions: a table from (name . static arguments) to the new name; their definitions are
;; collected.
(define (specialise program name arguments)
  (let ((versions (make-equal-hash-table)) (definitions '()) (serial 0))
    (define (version name arguments)
      (let* ((pattern (map (lambda (a) (if (constant? a) a '?)) arguments)) (key (cons name pattern)))
        (or (hash-table-ref/default versions key #f)
            (let ((new (string->symbol (string-append (symbol->string name) "-" (number->string serial)))))
              (set! serial (+ serial 1))
              (hash-table-set! versions key new)
              (let* ((function (cdr (assq name program)))
                     (environment (map (lambda (p a) (cons p (if (constant? a) a p)))
                                       (car function)
                                       arguments))
                     (dynamic (filter symbol?
                                      (map (lambda (p a) (if (constant? a) 0 p)) (car function) arguments)))
                     (body (reduce-expression (cadr function) environment)))
                (set! definitions (cons (list new dynamic body) definitions))
                new)))))
    (define (reduce-expression e environment)
      (cond ((constant? e) e)
            ((symbol? e) (cdr (assq e environment)))
            ((eq? (car e) 'if)
             (let ((test (reduce-expression (cadr e) environment)))
               (if (constant? test)
                   (reduce-expression (if (constant-value test) (caddr e) (cadddr e)) environment)
                   (list 'if
                         test
                         (reduce-expression (caddr e) environment)
                         (reduce-expression (cadddr e) environment)))))
            (else (let ((arguments (map (lambda (a) (reduce-expression a environment)) (cdr e)))
                        (primitive (assq (car e) primitives)))
                    (cond ((and primitive (every constant? arguments))
                           (make-constant (apply (cdr primitive) (map constant-value arguments))))
                          (primitive (cons (car e) arguments))
                          (else (cons (version (car e) arguments) (remove constant? arguments))))))))
    (let ((entry (version name arguments))) (cons entry definitions))))

(define power
  '((power (x n) (if (= n 0) 1 (* x (power x (- n 1)))))))

;; An interpreter, in the language itself, for arithmetic over one variable: (n) constant, (x) the variable,
;; (+ a b), (* a b).
(define interpreter
  '((run (e x)
         (if (eq? (car e) 'n) (car (cdr e))
             (if (eq? (car e) 'x) x
                 (if (eq? (car e) '+)
                     (+ (run (car (cdr e)) x) (run (car (cdr (cdr e))) x))
                     (* (run (car (cdr e)) x) (run (car (cdr (cdr e))) x))))))))

(define (polynomial degree)
  (if (= degree 0) '(n 7) (list '+ (list '* '(x) (polynomial (- degree 1))) (list 'n degree))))

(define (size e) (if (pair? e) (+ (size (car e)) (size (cdr e))) 1))

(define (mentions? e name) (if (pair? e) (or (mentions? (car e) name) (mentions? (cdr e) name)) (eq? e name)))

(define (same-result? program name static residual x)
  (= (evaluate program (list name static 'x) (list (cons 'x x)))
     (evaluate (cdr residual) (list (car residual) 'x) (list (cons 'x x)))))

(define (round-trip i)
  (let* ((e (polynomial (+ 20 (modulo i 20))))
         (residual (specialise interpreter 'run (list (list 'quote e) '?x)))
         (cube (specialise power 'power (list '?x (+ 3 (modulo i 40))))))
    (and (same-result? interpreter 'run (list 'quote e) residual 3)
         (not (mentions? (cdr residual) 'eq?))
         (= (expt 2 (+ 3 (modulo i 40))) (evaluate (cdr cube) (list (car cube) 2) '())))))

(check "peval"
       (let loop ((i 0) (good #t))
         (if (= i (* scale 800)) good (loop (+ i 1) (and good (round-trip i))))))
