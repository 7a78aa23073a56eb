;; Symbolic algebra: differentiate, simplify by rules with pattern variables, evaluate.  Lists and symbols,
;; most of them dead at once, some kept in a table of normal forms.
(use-modules (ice-9 match) (srfi srfi-1))

(define size (string->number (cadr (command-line))))

(define seed 1)
(define (random-below! n)
  (set! seed (modulo (+ (* seed 1103515245) 12345) 2147483648))
  (modulo (quotient seed 65536) n))

(define (random-term depth)
  (if (or (zero? depth) (zero? (random-below! 6)))
      (if (zero? (random-below! 2)) 'x (- (random-below! 9) 4))
      (let* ((operator (list-ref '(+ * - ^) (random-below! 4)))
             (left (random-term (- depth 1))))
        (list operator left (if (eq? operator '^) (+ 1 (random-below! 3)) (random-term (- depth 1)))))))

(define (derivative term)
  (match term
    ((? number?) 0)
    ('x 1)
    (('+ a b) `(+ ,(derivative a) ,(derivative b)))
    (('- a b) `(- ,(derivative a) ,(derivative b)))
    (('* a b) `(+ (* ,(derivative a) ,b) (* ,a ,(derivative b))))
    (('^ a n) `(* ,(derivative a) (* ,n (^ ,a ,(- n 1)))))))

;; Each rule: a pattern whose variables are ?a and ?b, and what takes its place.
(define rules
  '(((+ 0 ?a) ?a) ((+ ?a 0) ?a) ((- ?a 0) ?a) ((- ?a ?a) 0)
    ((* 0 ?a) 0) ((* ?a 0) 0) ((* 1 ?a) ?a) ((* ?a 1) ?a)
    ((^ ?a 0) 1) ((^ ?a 1) ?a) ((^ 0 ?a) 0) ((^ 1 ?a) 1)
    ((+ ?a ?a) (* 2 ?a)) ((+ (* ?a ?b) (* ?a ?c)) (* ?a (+ ?b ?c)))))

(define (variable? x)
  (memq x '(?a ?b ?c)))

(define (unify pattern term bindings)
  (cond ((not bindings) #f)
        ((variable? pattern)
         (let ((bound (assq pattern bindings)))
           (cond ((not bound) (acons pattern term bindings))
                 ((equal? (cdr bound) term) bindings)
                 (else #f))))
        ((pair? pattern)
         (and (pair? term) (unify (cdr pattern) (cdr term) (unify (car pattern) (car term) bindings))))
        (else (and (equal? pattern term) bindings))))

(define (substitute template bindings)
  (cond ((variable? template) (assq-ref bindings template))
        ((pair? template) (cons (substitute (car template) bindings) (substitute (cdr template) bindings)))
        (else template)))

(define (rewrite term)
  (let try ((rules rules))
    (if (null? rules)
        term
        (let ((bindings (unify (caar rules) term '())))
          (if bindings (substitute (cadar rules) bindings) (try (cdr rules)))))))

(define (fold-constants term)
  (match term
    (('^ (? number? a) (? number? n)) (if (< n 0) term (expt a n)))
    ((operator (? number? a) (? number? b)) ((case operator ((+) +) ((-) -) ((*) *)) a b))
    (_ term)))

(define (simplify term)
  (if (pair? term)
      (let* ((inner (cons (car term) (map simplify (cdr term))))
             (next (fold-constants (rewrite inner))))
        (if (equal? next inner) next (simplify next)))
      term))

(define (value term x)
  (match term
    ((? number?) term)
    ('x x)
    (('+ a b) (modulo (+ (value a x) (value b x)) 1000003))
    (('- a b) (modulo (- (value a x) (value b x)) 1000003))
    (('* a b) (modulo (* (value a x) (value b x)) 1000003))
    (('^ a n) (if (< n 0) 0 (modulo (expt (value a x) n) 1000003)))))

(define (nodes term)
  (if (pair? term) (fold + 0 (map nodes term)) 1))

(define forms (make-hash-table))

(let loop ((i 0) (sum 0) (count 0))
  (if (< i size)
      (let* ((term (random-term 6))
             (first (simplify (derivative term)))
             (second (simplify (derivative first))))
        (hash-set! forms (modulo i 500) (list term first second))
        (loop (+ i 1)
              (modulo (+ (* 31 sum) (value first 7) (value second 3)) 1000003)
              (+ count (nodes first) (nodes second))))
      (format #t "~a terms, ~a nodes, ~a kept with ~a nodes, sum ~a\n" size count
              (hash-count (const #t) forms)
              (hash-fold (lambda (key kept total) (+ total (nodes kept))) 0 forms)
              sum)))
