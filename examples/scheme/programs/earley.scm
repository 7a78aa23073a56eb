;; Earley's parser on an ambiguous grammar, then all parse trees of the input: their number must be Catalan's.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

;; Grammar: S -> S S | a.  An item is #(rule dot origin), a rule (left right ...).
(define grammar '((S S S) (S a)))

(define (terminal? symbol) (not (assq symbol grammar)))

(define (make-item rule dot origin) (vector rule dot origin))
(define (item-rule item) (vector-ref item 0))
(define (item-dot item) (vector-ref item 1))
(define (item-origin item) (vector-ref item 2))

(define (next-symbol item)
  (let ((rest (list-tail (cdr (item-rule item)) (item-dot item))))
    (if (null? rest) #f (car rest))))

(define (advance item) (make-item (item-rule item) (+ (item-dot item) 1) (item-origin item)))

;; A chart entry keeps its items in order of arrival, and a table to tell whether one is there.
(define (make-entry) (cons '() (make-equal-hash-table)))

(define (parse input)
  (let* ((n (vector-length input)) (chart (make-initialized-vector (+ n 1) (lambda (i) (make-entry)))))
    (define (add! position item agenda)
      (let ((entry (vector-ref chart position)))
        (if (hash-table-exists? (cdr entry) item)
            agenda
            (begin
              (hash-table-set! (cdr entry) item #t)
              (set-car! entry (cons item (car entry)))
              (cons item agenda)))))
    (define (predict symbol position agenda)
      (fold (lambda (rule agenda)
              (if (eq? (car rule) symbol) (add! position (make-item rule 0 position) agenda) agenda))
            agenda
            grammar))
    (define (complete item position agenda)
      (fold (lambda (waiting agenda)
              (if (eq? (next-symbol waiting) (car (item-rule item)))
                  (add! position (advance waiting) agenda)
                  agenda))
            agenda
            (car (vector-ref chart (item-origin item)))))
    (define (process position)
      (let loop ((agenda (car (vector-ref chart position))))
        (if (pair? agenda)
            (let* ((item (car agenda)) (symbol (next-symbol item)) (rest (cdr agenda)))
              (cond ((not symbol) (loop (complete item position rest)))
                    ((terminal? symbol)
                     (if (and (< position n) (eq? symbol (vector-ref input position)))
                         (add! (+ position 1) (advance item) '()))
                     (loop rest))
                    (else (loop (predict symbol position rest))))))))
    (predict 'S 0 '())
    (do ((position 0 (+ position 1))) ((> position n) chart) (process position))))

;; All trees for symbol over [start, end), by way of the chart's completed items.
(define (trees chart symbol start end)
  (append-map
   (lambda (item)
     (if (and (not (next-symbol item)) (= (item-origin item) start) (eq? (car (item-rule item)) symbol))
         (map (lambda (children) (cons symbol children)) (sequences chart (cdr (item-rule item)) start end))
         '()))
   (car (vector-ref chart end))))

(define (sequences chart symbols start end)
  (cond
    ((null? symbols) (if (= start end) '(()) '()))
    ((terminal? (car symbols))
     (if (< start end)
         (map (lambda (rest) (cons (car symbols) rest)) (sequences chart (cdr symbols) (+ start 1) end))
         '()))
    (else
     (let loop ((middle (+ start 1)) (found '()))
       (if (> middle end)
           found
           (let ((rests (sequences chart (cdr symbols) middle end)))
             (loop (+ middle 1)
                   (if (null? rests)
                       found
                       (append
                        (append-map (lambda (tree) (map (lambda (rest) (cons tree rest)) rests))
                                    (trees chart (car symbols) start middle))
                        found)))))))))

(define (factorial n) (if (= n 0) 1 (* n (factorial (- n 1)))))
(define (catalan n) (/ (factorial (* 2 n)) (square (factorial n)) (+ n 1)))

(define (leaves tree) (if (pair? tree) (apply + (map leaves (cdr tree))) 1))

(define (run n)
  (let* ((chart (parse (make-vector n 'a))) (all (trees chart 'S 0 n)))
    (and (= (length all) (catalan (- n 1)))
         (every (lambda (tree) (= (leaves tree) n)) all))))

(check "earley"
       (let loop ((i 0) (good #t))
         (if (= i (* 2 scale)) good (loop (+ i 1) (and good (run 8) (run 10) (run 11))))))
