;; Writes random documents as JSON and CSV into string ports, parses them again, compares.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define seed 99)
(define (random n)
  (set! seed (modulo (+ (* seed 1103515245) 12345) 2147483648))
  (modulo (quotient seed 65536) n))

(define (random-string)
  (let ((s (make-string (random 12))))
    (do ((i 0 (+ i 1))) ((= i (string-length s)) s)
      (string-set! s i (string-ref "abcdefghij \"\\\nxyzäλ," (random 20))))))

;; Objects are (object (key . value) ...), arrays vectors, null the symbol null.
(define (random-value depth)
  (case (random (if (= depth 0) 5 8))
    ((0) (- (random 2000) 1000))
    ((1) (/ (random 4096) 64.0))
    ((2) (random-string))
    ((3) (= 0 (random 2)))
    ((4) 'null)
    ((5) (make-initialized-vector (random 8) (lambda (i) (random-value (- depth 1)))))
    (else (cons 'object
                (map (lambda (i) (cons (random-string) (random-value (- depth 1)))) (iota (random 8)))))))

(define (write-json value port)
  (cond
    ((string? value) (write-json-string value port))
    ((number? value) (write-string (number->string value) port))
    ((boolean? value) (write-string (if value "true" "false") port))
    ((eq? value 'null) (write-string "null" port))
    ((vector? value) (write-sequence "[" (vector->list value) write-json "]" port))
    (else
     (write-sequence "{" (cdr value)
                     (lambda (entry port)
                       (write-json-string (car entry) port)
                       (write-string ":" port)
                       (write-json (cdr entry) port))
                     "}" port))))

(define (write-sequence open items write-item close port)
  (write-string open port)
  (let loop ((items items) (first #t))
    (if (pair? items)
        (begin
          (if (not first) (write-string "," port))
          (write-item (car items) port)
          (loop (cdr items) #f))))
  (write-string close port))

(define (write-json-string s port)
  (write-char #\" port)
  (string-for-each
   (lambda (c)
     (case c
       ((#\" #\\) (write-char #\\ port) (write-char c port))
       ((#\newline) (write-string "\\n" port))
       (else (write-char c port))))
   s)
  (write-char #\" port))

(define (skip-blanks port)
  (if (memv (peek-char port) '(#\space #\newline)) (begin (read-char port) (skip-blanks port))))

(define (expect port c)
  (skip-blanks port)
  (if (not (eqv? (read-char port) c)) (error "JSON: expected" c)))

(define (read-json port)
  (skip-blanks port)
  (let ((c (peek-char port)))
    (cond
      ((eof-object? c) (error "JSON: unexpected end"))
      ((char=? c #\") (read-json-string port))
      ((char=? c #\[) (list->vector (read-json-sequence port #\[ #\] read-json)))
      ((char=? c #\{) (cons 'object (read-json-sequence port #\{ #\} read-entry)))
      (else (read-atom port)))))

(define (read-entry port)
  (skip-blanks port)
  (let ((key (read-json-string port)))
    (expect port #\:)
    (cons key (read-json port))))

(define (read-json-sequence port open close read-item)
  (expect port open)
  (skip-blanks port)
  (if (char=? (peek-char port) close)
      (begin (read-char port) '())
      (let loop ((items (list (read-item port))))
        (skip-blanks port)
        (if (char=? (peek-char port) close)
            (begin (read-char port) (reverse items))
            (begin (expect port #\,) (loop (cons (read-item port) items)))))))

(define (read-json-string port)
  (expect port #\")
  (let loop ((characters '()))
    (let ((c (read-char port)))
      (cond
        ((char=? c #\") (list->string (reverse characters)))
        ((char=? c #\\) (let ((e (read-char port))) (loop (cons (if (char=? e #\n) #\newline e) characters))))
        (else (loop (cons c characters)))))))

(define (read-atom port)
  (let loop ((characters '()))
    (let ((c (peek-char port)))
      (if (or (eof-object? c) (memv c '(#\, #\] #\} #\space #\newline)))
          (atom-value (list->string (reverse characters)))
          (begin (read-char port) (loop (cons c characters)))))))

(define (atom-value text)
  (cond ((string=? text "true") #t) ((string=? text "false") #f) ((string=? text "null") 'null)
        ((string->number text))
        (else (error "JSON: bad atom" text))))

(define (json->string value) (call-with-output-string (lambda (port) (write-json value port))))

;; CSV: fields with commas, quotes or newlines are quoted, quotes doubled.
(define (csv-field s)
  (if (string-index s (lambda (c) (memv c '(#\, #\" #\newline))))
      (string-append "\""
                     (apply string-append
                            (map (lambda (c) (if (char=? c #\") "\"\"" (string c))) (string->list s)))
                     "\"")
      s))

(define (csv-line fields) (string-join (map csv-field fields) ","))

(define (parse-csv line)
  (let ((n (string-length line)))
    (let loop ((i 0) (quoted #f) (field '()) (fields '()))
      (define (finish) (cons (list->string (reverse field)) fields))
      (cond
        ((= i n) (reverse (finish)))
        ((char=? (string-ref line i) #\")
         (if (and quoted (< (+ i 1) n) (char=? (string-ref line (+ i 1)) #\"))
             (loop (+ i 2) #t (cons #\" field) fields)
             (loop (+ i 1) (not quoted) field fields)))
        ((and (char=? (string-ref line i) #\,) (not quoted)) (loop (+ i 1) #f '() (finish)))
        (else (loop (+ i 1) quoted (cons (string-ref line i) field) fields))))))

(define (run)
  (let* ((document (make-initialized-vector 60 (lambda (i) (random-value 4))))
         (text (json->string document))
         (fields (map (lambda (i) (random-string)) (iota 40))))
    (and (equal? (read-json (open-input-string text)) document)
         (equal? (parse-csv (csv-line fields)) fields))))

(check "json"
       (let loop ((i 0) (good #t)) (if (= i (* 500 scale)) good (loop (+ i 1) (and good (run))))))
