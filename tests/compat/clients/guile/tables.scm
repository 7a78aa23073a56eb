;; Hash tables of all kinds, string ports, sorting; weak tables and guardians, of which only what a conservative
;; collector can promise is printed: what is held is there, and of what is not, most has gone.
(use-modules (srfi srfi-1) ((srfi srfi-69) #:prefix s:) (ice-9 format))

(define size (string->number (cadr (command-line))))

;; Words and their counts.

(define (word i)
  (string-append "w" (number->string (modulo (* i i) 1009) 36) "-" (number->string (modulo i 97))))

(define (count-words n)
  (let ((counts (make-hash-table)))
    (do ((i 0 (+ i 1))) ((= i n))
      (hash-update! counts (word i) 1+ 0))
    counts))

(define (hash-update! table key change default)
  (hash-set! table key (change (hash-ref table key default))))

(define (top counts n)
  (take (sort (hash-map->list cons counts)
              (lambda (a b) (or (> (cdr a) (cdr b)) (and (= (cdr a) (cdr b)) (string<? (car a) (car b))))))
        n))

(let ((counts (count-words (* size 40))))
  (format #t "~a words:~{ ~a~}\n" (hash-count (const #t) counts) (top counts 5)))

;; Text through string ports, read back as data.

(define (text i)
  (call-with-output-string
   (lambda (port)
     (write (list i (number->string i 2) (exact->inexact (/ i 8)) (make-string (modulo i 40) #\λ)) port))))

(let loop ((i 0) (length 0))
  (if (< i size)
      (let ((data (call-with-input-string (text i) read)))
        (unless (and (= (car data) i) (= (string->number (cadr data) 2) i)) (error "misread" i data))
        (loop (+ i 1) (+ length (string-length (cadddr data)))))
      (format #t "~a texts, ~a letters\n" size length)))

;; Weak keys: those with an even number are held.

(define held '())
(define weak-keys (make-weak-key-hash-table))
(define weak-values (make-weak-value-hash-table))
(define guardian (make-guardian))
(define property (make-object-property))

(define (fill! n)
  (do ((i 0 (+ i 1))) ((= i n))
    (let ((key (list i)))
      (when (even? i) (set! held (cons key held)))
      (hashq-set! weak-keys key (vector i))
      (hashv-set! weak-values i key)
      (set! (property key) (- i))
      (guardian key))))

(define (clear-stack depth)
  (if (> depth 0) (+ 1 (clear-stack (- depth 1))) 0))

(define objects (* 10 size))
(fill! objects)
(do ((i 0 (+ i 1))) ((= i 3))
  (clear-stack 10000)
  (gc))

(define (all-there?)
  (every (lambda (key)
           (and (equal? (hashq-ref weak-keys key) (vector (car key)))
                (eq? (hashv-ref weak-values (car key)) key)
                (= (property key) (- (car key)))))
         held))

(define (drain)
  (let loop ((count 0) (odd 0))
    (let ((key (guardian)))
      (if key
          (loop (+ count 1) (if (odd? (car key)) (+ odd 1) odd))
          (cons count odd)))))

(define (most? count)
  (<= (* 0.8 (quotient objects 2)) count (quotient objects 2)))

(let ((drained (drain)))
  (format #t "held: ~a, all there: ~a\n" (length held) (all-there?))
  (format #t "most odd keys given by the guardian: ~a, no even ones: ~a\n"
          (most? (cdr drained)) (= (car drained) (cdr drained))))

;; A table that grows, shrinks and grows, of pairs under strings (SRFI 69).

(define table (s:make-hash-table string=? s:string-hash))
(do ((round 0 (+ round 1))) ((= round 3))
  (do ((i 0 (+ i 1))) ((= i (* 5 size)))
    (s:hash-table-set! table (number->string (+ i (* round size))) (cons round i)))
  (do ((i 0 (+ i 2))) ((>= i (* 5 size)))
    (s:hash-table-delete! table (number->string (+ i (* round size))))))
(format #t "~a entries, sum ~a\n" (s:hash-table-size table)
        (s:hash-table-fold table (lambda (key value sum) (+ sum (car value) (cdr value))) 0))
