;; A tokenizer of C headers: every file is cut into tokens, the tokens counted, and put together again.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

;; The files of the machine to work on: the licences of a Debian system, or any C headers, or this program
;; itself.
(define (files-in directory keep?)
  (filter file-exists?
          (map (lambda (name) (string-append directory "/" name))
               (filter keep? (directory-files directory)))))

(define (is-header? name) (string-suffix? ".h" name))

(define (first-some . lists)
  (cond ((null? lists) '()) ((pair? (car lists)) (car lists)) (else (apply first-some (cdr lists)))))

(define files
  (let ((all (first-some (files-in "/usr/include" is-header?)
                         (files-in "/usr/include/linux" is-header?)
                         (files-in "/usr/share/common-licenses" (lambda (name) #t))
                         (list (car (command-line))))))
    (if (> (length all) 60) (list-head all 60) all)))

(define (read-file path)
  (call-with-input-file path
    (lambda (port)
      (let loop ((parts '()))
        (let ((part (read-string 4096 port)))
          (if (eof-object? part) (apply string-append (reverse parts)) (loop (cons part parts))))))))

(define (identifier-character? c) (or (char-alphabetic? c) (char-numeric? c) (char=? c #\_)))

;; The end of the run of characters from i on that satisfy good?.
(define (span text i good?)
  (let ((n (string-length text)))
    (let loop ((i i)) (if (and (< i n) (good? (string-ref text i))) (loop (+ i 1)) i))))

(define (after-delimiter text i delimiter)
  (let ((end (string-search delimiter text i)))
    (if end (+ end (string-length delimiter)) (string-length text))))

(define (string-end text i quote)
  (let ((n (string-length text)))
    (let loop ((i (+ i 1)))
      (cond ((>= i n) n)
            ((char=? (string-ref text i) #\\) (loop (+ i 2)))
            ((or (char=? (string-ref text i) quote) (char=? (string-ref text i) #\newline)) (+ i 1))
            (else (loop (+ i 1)))))))

(define (starts? text i pattern)
  (let ((end (+ i (string-length pattern))))
    (and (<= end (string-length text)) (string=? (substring text i end) pattern))))

;; The kind and the end of the token at i.
(define (scan text i)
  (let ((c (string-ref text i)))
    (cond ((char-whitespace? c) (values 'space (span text i char-whitespace?)))
          ((char-numeric? c)
           (values 'number (span text i (lambda (c) (or (identifier-character? c) (char=? c #\.))))))
          ((identifier-character? c) (values 'identifier (span text i identifier-character?)))
          ((starts? text i "/*") (values 'comment (after-delimiter text (+ i 2) "*/")))
          ((starts? text i "//") (values 'comment (span text i (lambda (c) (not (char=? c #\newline))))))
          ((or (char=? c #\") (char=? c #\'))
           (values 'string (min (string-length text) (string-end text i c))))
          (else (values 'punctuation (+ i 1))))))

(define (tokenize text)
  (let ((n (string-length text)))
    (let loop ((i 0) (tokens '()))
      (if (= i n)
          (reverse tokens)
          (let-values (((kind end) (scan text i)))
            (loop end (cons (cons kind (substring text i end)) tokens)))))))

(define identifiers (make-string-hash-table))
(define kinds (make-eq-hash-table))

(define (count! table key) (hash-table-update!/default table key (lambda (n) (+ n 1)) 0))

(define (run path)
  (let* ((text (read-file path)) (tokens (tokenize text)))
    (for-each
     (lambda (token)
       (count! kinds (car token))
       (if (eq? (car token) 'identifier) (count! identifiers (cdr token))))
     tokens)
    (string=? text (apply string-append (map cdr tokens)))))

(define good
  (let loop ((i 0) (good #t))
    (if (= i (* 4 scale)) good (loop (+ i 1) (and good (every run files))))))

(check "tokens"
       (and good (= (hash-table-ref/default kinds 'identifier 0) (apply + (hash-table-values identifiers)))))
