;; Processes that allocate, come and go, share tables under locks, wait for each other; finalizers.
(defparameter *size* (parse-integer (car (last (ext:command-args)))))

(defun build (n) (loop for i below n collect (format nil "~x" i)))
(defun work (id)
  (loop for i below *size* sum (length (apply #'concatenate 'string (build 10))) into sum
        finally (return (+ sum id))))

(defun in-processes (count function)
  (let ((results (make-array count)))
    (mapc #'mp:process-join
          (loop for id below count
                collect (let ((id id))
                          (mp:process-run-function 'worker
                                                   (lambda () (setf (aref results id) (funcall function id)))))))
    (coerce results 'list)))

(format t "in processes: ~a~%" (in-processes 4 #'work))
(format t "short lives: ~a~%"
        (loop repeat (ceiling *size* 20) append (in-processes 3 (lambda (id) (length (build (* 10 id))))) into lengths
              finally (return (reduce #'+ lengths))))

(defvar *lock* (mp:make-lock :name "queue"))
(defvar *filled* (mp:make-condition-variable))
(defvar *queue* '())

(defun put (item)
  (mp:with-lock (*lock*)
    (push item *queue*)
    (mp:condition-variable-signal *filled*)))
(defun take ()
  (mp:with-lock (*lock*)
    (loop while (null *queue*) do (mp:condition-variable-wait *filled* *lock*))
    (pop *queue*)))

(format t "passed on: ~a~%"
        (reduce #'+ (in-processes 4 (lambda (id)
                                      (if (< id 2)
                                          (dotimes (i *size* 0) (put (vector id (list i))))
                                          (loop repeat *size* sum (car (aref (take) 1))))))))

(defvar *table* (make-hash-table :test #'equal))
(in-processes 3 (lambda (id)
                  (dolist (string (build *size*))
                    (mp:with-lock (*lock*) (push id (gethash string *table*))))))
(format t "table: ~a, full: ~a~%" (hash-table-count *table*)
        (loop for ids being the hash-values of *table* always (= (length ids) 3)))

(format t "collections: ~a~%" (in-processes 3 (lambda (id) (let ((kept (build (+ id 50)))) (ext:gc t) (length kept)))))

;; Finalizers: of what is dropped some are called, of what is held none.

(defvar *finalized* '())
(defvar *held* '())
(defun finalize (object) (push (car object) *finalized*)) ; a closure would hold the object
(defun make-objects (count)
  (dotimes (i count)
    (let ((object (list i)))
      (when (evenp i) (push object *held*))
      (ext:set-finalizer object #'finalize))))
(make-objects 200)
(ext:gc t)
(let ((finalized *finalized*))
  (format t "held: ~a, finalized too early: ~a, finalized: ~a~%" (length *held*) (count-if #'evenp finalized)
          (if finalized "some" "none")))
