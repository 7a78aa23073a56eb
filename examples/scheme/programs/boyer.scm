;; A theorem prover by rewriting: terms are normalised with a table of equations, then decided as nested
;; conditionals. Nearly all the work is building and comparing small lists.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

;; A variable of an equation is a symbol; everything else is (operator argument ...).
(define rules (make-eq-hash-table))

(define (add-rule! left right)
  (hash-table-update!/default rules (car left) (lambda (l) (append l (list (cons left right)))) '()))

(for-each
 (lambda (rule) (add-rule! (car rule) (cadr rule)))
 '(((not p) (if p (false) (true)))
   ((and p q) (if p (if q (true) (false)) (false)))
   ((or p q) (if p (true) (if q (true) (false))))
   ((implies p q) (if p (if q (true) (false)) (true)))
   ((iff p q) (and (implies p q) (implies q p)))
   ((xor p q) (not (iff p q)))
   ((if (if a b c) d e) (if a (if b d e) (if c d e)))
   ((plus (zero) x) x)
   ((plus (succ x) y) (succ (plus x y)))
   ((plus (plus x y) z) (plus x (plus y z)))
   ((times (zero) x) (zero))
   ((times (succ x) y) (plus y (times x y)))
   ((times (plus x y) z) (plus (times x z) (times y z)))
   ((times (times x y) z) (times x (times y z)))
   ((append (nil) x) x)
   ((append (cons x y) z) (cons x (append y z)))
   ((append (append x y) z) (append x (append y z)))
   ((reverse (nil)) (nil))
   ((reverse (append x y)) (append (reverse y) (reverse x)))
   ((reverse (reverse x)) x)
   ((length (nil)) (zero))
   ((length (cons x y)) (succ (length y)))
   ((length (append x y)) (plus (length x) (length y)))
   ((length (reverse x)) (length x))
   ((member x (nil)) (false))
   ((member x (append y z)) (or (member x y) (member x z)))
   ((member x (reverse y)) (member x y))
   ((equal x x) (true))
   ((equal (succ x) (succ y)) (equal x y))
   ((equal (succ x) (zero)) (false))
   ((equal (zero) (succ x)) (false))
   ((equal (cons a b) (cons c d)) (and (equal a c) (equal b d)))
   ((even (zero)) (true))
   ((even (succ x)) (not (even x)))
   ((even (plus x y)) (iff (even x) (even y)))))

;; The bindings that make pattern equal to term, or #f.
(define (match pattern term bindings)
  (cond
    ((symbol? pattern)
     (let ((bound (assq pattern bindings)))
       (cond ((not bound) (cons (cons pattern term) bindings))
             ((equal? (cdr bound) term) bindings)
             (else #f))))
    ((symbol? term) #f)
    ((not (eq? (car pattern) (car term))) #f)
    (else (match-arguments (cdr pattern) (cdr term) bindings))))

(define (match-arguments patterns terms bindings)
  (cond
    ((null? patterns) (and (null? terms) bindings))
    ((null? terms) #f)
    (else
     (let ((bindings (match (car patterns) (car terms) bindings)))
       (and bindings (match-arguments (cdr patterns) (cdr terms) bindings))))))

;; The normal form of a term whose variables stand for terms that are already normal.
(define (normalise term bindings)
  (if (symbol? term)
      (let ((bound (assq term bindings))) (if bound (cdr bound) term))
      (rewrite (cons (car term) (map (lambda (t) (normalise t bindings)) (cdr term))))))

(define rewrites 0)

;; Apply the first equation that fits a term with normal arguments.
(define (rewrite term)
  (let try ((candidates (hash-table-ref/default rules (car term) '())))
    (if (null? candidates)
        term
        (let ((bindings (match (caar candidates) term '())))
          (if bindings
              (begin
                (set! rewrites (+ rewrites 1))
                (normalise (cdar candidates) bindings))
              (try (cdr candidates)))))))

(define (known-true? term facts) (or (equal? term '(true)) (member term facts)))
(define (known-false? term facts) (or (equal? term '(false)) (member term facts)))

(define (tautology? term yes no)
  (cond
    ((known-true? term yes) #t)
    ((known-false? term no) #f)
    ((or (symbol? term) (not (eq? (car term) 'if))) #f)
    (else
     (let ((test (cadr term)) (then (caddr term)) (else-part (cadddr term)))
       (cond
         ((known-true? test yes) (tautology? then yes no))
         ((known-false? test no) (tautology? else-part yes no))
         (else (and (tautology? then (cons test yes) no) (tautology? else-part yes (cons test no)))))))))

(define (prove term) (tautology? (normalise term '()) '() '()))

(define (proposition i)
  (list-ref '((even (plus (succ (succ x)) y))
              (member a (append (reverse b) (append c (reverse d))))
              (equal (length (append u v)) (length (reverse w)))
              (equal (plus (times (succ x) y) z) (times u v))
              (member e (reverse (append f (reverse g))))
              (equal (reverse (append r s)) (append t (nil)))
              (even (times x (succ y))))
            i))

;; ((p0 -> p1) and ... and (p(n-1) -> pn)) -> (p0 -> pn), over terms that themselves need rewriting.
(define (theorem n)
  (let loop ((i (- n 1)) (facts '(true)))
    (if (< i 0)
        (list 'implies facts (list 'implies (proposition 0) (proposition n)))
        (loop (- i 1) (list 'and (list 'implies (proposition i) (proposition (+ i 1))) facts)))))

(define non-theorem
  (list 'implies
        (list 'implies (proposition 0) (proposition 1))
        (list 'implies (proposition 1) (proposition 0))))

(define good
  (let loop ((i 0) (good #t))
    (if (= i (* scale 3))
        good
        (loop (+ i 1)
              (and good
                   (prove (theorem 2))
                   (prove '(equal (reverse (append (append a b) c))
                                  (append (reverse c) (append (reverse b) (reverse a)))))
                   (not (prove non-theorem)))))))

(check "boyer" (and good (> rewrites 1000)))
