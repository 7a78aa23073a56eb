;; Threads that allocate, come and go; mutexes, condition variables, futures; a collection asked for by each.
(use-modules (ice-9 threads) (ice-9 futures) (srfi srfi-1))

;; A thread in which a collection has just run has something to do for Guile.  If it meets a locked mutex,
;; Guile 3.0's lock-mutex does that first and then sleeps without another look at the mutex, which may be free
;; by then: nobody wakes it.  With a time limit it looks again.
(let* ((threads (resolve-module '(ice-9 threads)))
       (lock-mutex-once (module-ref threads 'lock-mutex)))
  (module-set! threads 'lock-mutex
               (lambda (mutex)
                 (let again ()
                   (unless (lock-mutex-once mutex (+ (current-time) 1)) (again))))))

(define size (string->number (cadr (command-line))))

(define (build n)
  (let loop ((i 0) (list '()))
    (if (= i n) list (loop (+ i 1) (cons (number->string i 16) list)))))

(define (work id)
  (let loop ((i 0) (sum 0))
    (if (= i size)
        (+ sum id)
        (let ((strings (build 20)))
          (loop (+ i 1) (+ sum (string-length (string-concatenate strings))))))))

(define (in-threads count procedure)
  (map join-thread (map (lambda (id) (call-with-new-thread (lambda () (procedure id)))) (iota count))))

(format #t "in threads: ~a\n" (in-threads 4 work))

;; Many that live for a moment.

(format #t "short lives: ~a\n"
        (fold + 0 (append-map (lambda (round) (in-threads 5 (lambda (id) (length (build (* 10 id))))))
                              (iota (quotient size 50)))))

;; A queue with one end in each of several threads.

(define queue '())
(define mutex (make-mutex))
(define filled (make-condition-variable))

(define (put! item)
  (with-mutex mutex
    (set! queue (cons item queue))
    (signal-condition-variable filled)))

(define (take!)
  (with-mutex mutex
    (let loop ()
      (if (null? queue)
          (begin (wait-condition-variable filled mutex) (loop))
          (let ((item (car queue)))
            (set! queue (cdr queue))
            item)))))

(define (produce id)
  (do ((i 0 (+ i 1))) ((= i size))
    (put! (list id i (make-vector 10 i))))
  size)

(define (consume id)
  (let loop ((i 0) (sum 0))
    (if (= i size)
        sum
        (loop (+ i 1) (let ((item (take!))) (+ sum (vector-ref (caddr item) 9)))))))

(let* ((consumers (map (lambda (id) (call-with-new-thread (lambda () (consume id)))) '(0 1)))
       (producers (map (lambda (id) (call-with-new-thread (lambda () (produce id)))) '(0 1))))
  (format #t "produced: ~a, consumed: ~a\n" (fold + 0 (map join-thread producers)) (fold + 0 (map join-thread consumers))))

;; Futures, and collections from several threads at once.

(format #t "futures: ~a\n"
        (fold + 0 (map touch (map (lambda (i) (future (length (build (+ i (quotient size 5)))))) (iota 20)))))

(format #t "collections: ~a\n"
        (in-threads 3 (lambda (id)
                        (let loop ((i 0) (kept (build 100)))
                          (gc)
                          (if (= i 3) (length kept) (loop (+ i 1) (cons (number->string i) kept)))))))

;; Each thread has its own values of a fluid.

(define fluid (make-fluid 0))
(format #t "fluids: ~a\n"
        (in-threads 4 (lambda (id)
                        (with-fluids ((fluid (build id)))
                          (work 0)
                          (length (fluid-ref fluid))))))
